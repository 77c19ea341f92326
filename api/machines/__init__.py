"""What is done to machines in several steps: drafting a new one, cloning, removing, and changing its document."""
