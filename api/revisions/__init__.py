"""/revisions: what was applied."""
