"""What is told the guest when it first boots."""
