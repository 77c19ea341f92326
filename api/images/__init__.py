"""/images: the pictures that stand for machines and templates."""
