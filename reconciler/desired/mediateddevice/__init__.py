"""What documents of mediated devices are made into."""
