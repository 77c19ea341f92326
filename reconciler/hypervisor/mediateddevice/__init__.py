"""Mediated devices on a host."""
