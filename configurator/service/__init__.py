"""People around a configuration: staff, and what a new installation starts with."""
