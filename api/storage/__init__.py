"""What requests about pools and volumes have in common: what a new volume is to be, who uses one, which images exist."""
