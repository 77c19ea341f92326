"""/host/devices: what is built into the machine or plugged in."""
