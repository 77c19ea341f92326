"""How much of a source is read at all. A repository is written by others, and memory is this process's.

Two numbers are set: how many files, to which bytes and names are bounded in proportion, and how much one fetch may
bring to the disk before anybody can look into it. They are the process's, because a process works for one host.
"""

from __future__ import annotations

from typing import Final

DEFAULT_MAX_FILES: Final = 20_000
DEFAULT_MAX_FETCH: Final = 1 << 30  # bytes
_VALUES_A_FILE: Final = 50  # on average, of what its documents come to with their templates
_BYTES_A_FILE: Final = 6 << 10  # on average
_ENTRIES_A_FILE: Final = 25  # names of any kind: a tree that holds itself many times over has no end in practice

_max_files = DEFAULT_MAX_FILES
_max_fetch = DEFAULT_MAX_FETCH


def allow(files: int, fetch: int = DEFAULT_MAX_FETCH) -> None:
    """Bound what this process reads of any source from now on, and how many bytes one fetch may write."""
    global _max_files, _max_fetch
    _max_files, _max_fetch = files, fetch


def most_fetched() -> int:
    """How many bytes any file may have that a fetch writes: a pack is one."""
    return _max_fetch


def most_files() -> int:
    """How many files a source may have."""
    return _max_files


def most_bytes() -> int:
    """How much all of a source's files may have together."""
    return _max_files * _BYTES_A_FILE


def most_values() -> int:
    """How much all documents may come to when templates are laid below them and each disk is a volume."""
    return _max_files * _VALUES_A_FILE


def excess(files: int, size: int, entries: int) -> str:
    """What there is too much of, in words; empty while everything is within bounds."""
    if files > _max_files:
        return f"more than {_max_files} YAML files"
    if size > (most := most_bytes()):
        return f"more than {most >> 10} KiB of YAML"
    if entries > (most := _max_files * _ENTRIES_A_FILE):
        return f"more than {most} files and folders"
    return ""
