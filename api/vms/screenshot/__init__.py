"""/vms/{name}/screenshot: what a machine's screen shows."""
