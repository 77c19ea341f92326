"""What is decided about storage volumes: what holds data."""
