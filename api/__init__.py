"""The REST layer: Project Kimchi's words on our nouns."""
