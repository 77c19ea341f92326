"""/vms/{name}/snapshots: a machine's snapshots."""
