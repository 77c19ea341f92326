"""What is done with virtual machines by libvirt: `driver` says what the rest asks for, `commands` what can be done."""
