"""What becomes of storage volumes' documents."""
