"""/host/vgs: the volume groups."""
