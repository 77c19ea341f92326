"""What becomes of templates' documents."""
