"""/vms/{name}/viewer: how a viewer gets to a machine's console, by a shorter name."""
