"""What only networks need of libvirt: each subject has a module."""
