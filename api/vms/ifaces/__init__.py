"""/vms/{name}/ifaces: a machine's network interfaces."""
