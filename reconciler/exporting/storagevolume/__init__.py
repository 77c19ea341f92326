"""Storage volumes as documents."""
