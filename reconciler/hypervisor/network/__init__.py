"""What is done with networks by libvirt: `driver` says what the rest asks for, `commands` what can be done."""
