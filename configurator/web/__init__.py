"""Pages and REST: parse, authenticate, call a use case, render its answer."""
