"""Network filters as documents."""
