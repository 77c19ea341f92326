"""What is decided about virtual machines, and about the disks that they have."""
