"""/vms/{name}/hostdevs: devices of the host that a machine has."""
