"""The host itself as libvirt and its kernel tell of it: facts, devices, interfaces, abilities."""
