"""/tasks: what takes long."""
