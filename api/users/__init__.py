"""/users: who may log in on the host."""
