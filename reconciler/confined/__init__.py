"""Work on what somebody else may write, done by a child process that has that person's identity and little else.

Who may write a place besides us is judged in `trust.py`, by looking at names, owners and modes alone. `process.py`
starts the child and asks it, `child.py` is what runs there, `frames.py` what the two say to each other. `program.py`
runs a program of the system, such as git, in the same way.
"""
