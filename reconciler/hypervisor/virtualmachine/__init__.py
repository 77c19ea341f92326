"""What only virtual machines need of libvirt: each subject has a module."""
