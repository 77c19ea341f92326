"""What is asked of the host only when somebody wants to know, and is no part of a snapshot of it."""
