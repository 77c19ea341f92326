"""What is decided about mediated devices."""
