"""The agent's loop: what wakes it, what a pass does, what begins when, and what is left alone for a while."""
