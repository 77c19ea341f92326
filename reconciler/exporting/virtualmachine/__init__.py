"""Virtual machines as documents."""
