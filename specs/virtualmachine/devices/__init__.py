"""A machine's other devices: its console, and what it gets of the host."""
