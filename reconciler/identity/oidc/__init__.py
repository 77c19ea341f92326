"""Logging in at an OpenID provider: the authorization code flow with PKCE. No HTTP of this server in here."""
