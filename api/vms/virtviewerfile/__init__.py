"""/vms/{name}/virtviewerfile: how a viewer gets to a machine's console."""
