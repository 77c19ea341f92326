"""What is decided about secrets."""
