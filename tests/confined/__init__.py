"""Of the children that work as somebody else."""
