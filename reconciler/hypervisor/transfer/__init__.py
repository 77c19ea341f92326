"""How bytes come into volumes: from the network, and through libvirt."""
