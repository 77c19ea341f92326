"""What becomes of storage pools' documents."""
