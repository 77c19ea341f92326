"""/vms: virtual machines."""
