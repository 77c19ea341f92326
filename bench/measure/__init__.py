"""The measurements. Each module makes rows of the table out of one question."""
