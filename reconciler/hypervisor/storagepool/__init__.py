"""What is done with storage pools by libvirt: `driver` says what the rest asks for, `commands` what can be done."""
