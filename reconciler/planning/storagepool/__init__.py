"""What is decided about storage pools."""
