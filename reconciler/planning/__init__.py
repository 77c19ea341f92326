"""From desired and observed to a plan of steps. Pure: no I/O, no clock, no libvirt."""
