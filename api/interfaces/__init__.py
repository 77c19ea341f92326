"""/interfaces: the host's network interfaces."""
