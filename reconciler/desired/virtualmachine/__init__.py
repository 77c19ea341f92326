"""What becomes of machines' documents."""
