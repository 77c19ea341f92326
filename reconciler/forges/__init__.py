"""What is told to the forge that the repository lies on: the state of a commit, and the plan of a pull request.

Nothing of it is needed for reconciling, and nothing that a forge says decides what is done to the host.
"""
