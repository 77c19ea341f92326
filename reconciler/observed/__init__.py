"""What libvirt really has: the connection, its events, and the immutable snapshot that everyone else reads."""
