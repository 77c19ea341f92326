"""The machine that onggi runs on, without libvirt: its facts, load, disks, people and software. No HTTP in here."""
