"""The page of a machine's console."""
