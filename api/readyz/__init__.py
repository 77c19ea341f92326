"""/readyz: the same, and with which revision."""
