"""Secrets as documents."""
