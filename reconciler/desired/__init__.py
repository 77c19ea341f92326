"""From a source tree to a validated desired state."""
