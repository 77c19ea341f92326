"""/plugins: what others add to this API."""
