"""Secrets on a host."""
