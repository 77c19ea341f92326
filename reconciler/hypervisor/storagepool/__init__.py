"""What only storage pools need of libvirt: each subject has a module."""
