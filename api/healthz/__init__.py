"""/healthz: whether the agent gets through."""
