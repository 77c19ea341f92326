"""Logging in at an OpenID provider."""
