"""What the world looks like in Kimchi's words: pure functions from what was observed and declared to plain data."""
