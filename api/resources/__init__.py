"""One file per family of URIs; `app.py` finds them by scanning this folder."""
