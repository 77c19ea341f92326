"""/status: how the agent and every declared object are."""
