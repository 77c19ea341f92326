"""What a pass found out, as values: what came of each step, each object's conditions, and its drift."""
