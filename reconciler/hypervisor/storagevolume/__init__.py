"""What only storage volumes need of libvirt: each subject has a module."""
