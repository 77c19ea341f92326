"""What is done with storage volumes by libvirt: `driver` says what the rest asks for, `commands` what can be done."""
