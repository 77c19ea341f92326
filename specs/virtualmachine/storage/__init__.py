"""A machine's drives: disks and CD-ROMs."""
