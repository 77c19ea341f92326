"""Logging out."""
