"""/peers: other agents in this network."""
