"""What a machine is apart from its devices: its type, its firmware, and what it boots from."""
