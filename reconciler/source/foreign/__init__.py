"""Repositories and folders that others than us may write: read and written by a child with their identity."""
