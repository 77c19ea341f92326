"""Storage pools as documents."""
