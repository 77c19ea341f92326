"""/templates: what machines are made from."""
