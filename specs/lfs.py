"""Recognises Git LFS pointers: the few lines that git keeps in the place of a file whose content lies elsewhere.

Whoever meets one in the place of a document or of an image should be told what it is, not what is wrong with its text.
"""

from __future__ import annotations

from typing import Final

_FIRST_LINE: Final = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(start: bytes) -> bool:
    """True for a file that begins like this. LFS's specification asks for this line as the first one."""
    return start.startswith(_FIRST_LINE)
