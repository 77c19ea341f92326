"""From a git revision (or a folder) to a validated desired state."""
