"""/vms/{name}/storages: a machine's drives."""
