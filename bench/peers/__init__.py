"""The same work done by something else. Each peer is a program of its own, so that its start counts as ours does."""
