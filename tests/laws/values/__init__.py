"""For each subject the values and documents that its declarations alone don't tell; see `samples`."""
