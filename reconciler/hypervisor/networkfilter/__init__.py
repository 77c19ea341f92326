"""Network filters on a host."""
