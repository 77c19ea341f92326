"""What is decided about networks, and about the machines that are plugged into them."""
