"""/events: what was done, failed or was skipped."""
