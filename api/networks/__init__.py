"""/networks: virtual networks."""
