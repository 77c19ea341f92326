"""What requests about pools and volumes share: what a new volume is to be, who uses one, which images there are."""
