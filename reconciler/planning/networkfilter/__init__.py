"""What is decided about network filters."""
