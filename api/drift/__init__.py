"""/drift: what was changed on the host since it was last applied."""
