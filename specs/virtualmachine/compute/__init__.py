"""How many processors and how much memory a machine has, and how they are laid out."""
