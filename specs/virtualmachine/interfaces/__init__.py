"""A machine's network interfaces."""
