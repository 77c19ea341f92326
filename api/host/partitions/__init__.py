"""/host/partitions: the disks and partitions."""
