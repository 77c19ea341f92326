"""/groups: the groups of those who may log in."""
