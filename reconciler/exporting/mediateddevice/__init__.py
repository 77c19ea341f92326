"""Mediated devices as documents."""
