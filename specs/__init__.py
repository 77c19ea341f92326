"""What can be declared: kinds, their schemas, models and XML bindings. Pure: no libvirt, no git, no clock."""
