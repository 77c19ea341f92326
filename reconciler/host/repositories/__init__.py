"""The repositories that the host installs packages from, in its own files: APT's and DNF's.

A file is edited only where it has to change: comments, unknown fields and the files of other tools survive. Fetching
from repositories and installing packages is left to `reconciler.host.packages`.
"""
