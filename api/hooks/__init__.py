"""/hooks: forges tell of pushes."""
