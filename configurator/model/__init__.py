"""The vocabulary every room speaks: frozen data, no behaviour beyond itself."""
