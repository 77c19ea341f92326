"""What is told about the outcome: conditions, drift, plans as text."""
