"""Documents that went without a word about it: their file was emptied, or has a name by now that isn't read.

Neither says that an object is to go. What they declared stays until somebody removes the file, or puts it back.
"""

from __future__ import annotations

import re

from reconciler.desired.state import DesiredState
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Blocked
from reconciler.source.tree import Unread

FILE_EMPTIED = "FileEmptied"
FILE_NOT_READ = "FileNotRead"

# What people and editors put at the end of a name: of other endings it may be another thing of the same name.
_ENDINGS = frozenset({"", "bak", "backup", "old", "orig", "save", "sav", "off", "disabled", "tmp", "txt", "swp", "rej"})
_YAML = re.compile(r"ya?ml", re.IGNORECASE)


def unread_document(entry: Owned, desired: DesiredState) -> Blocked | None:
    """Why an object of ours that isn't declared any more stays: nobody has removed its document; else None."""
    found = _emptied(entry, desired) or _not_read(entry, desired)
    return Blocked(entry.ref, found[0], found[1], entry.path) if found is not None else None


def _emptied(entry: Owned, desired: DesiredState) -> tuple[str, str] | None:
    """Without a known file, any empty one may have been the object's."""
    files = {entry.path} & desired.emptied if entry.path else desired.emptied
    if not files:
        return None
    names = ", ".join(sorted(files)[:5])
    message = f"{names} holds no document any more; to delete {entry.ref}, remove the file, else put its document back"
    return FILE_EMPTIED, message


def _not_read(entry: Owned, desired: DesiredState) -> tuple[str, str] | None:
    if not entry.path or entry.path in desired.blobs:
        return None
    blob = entry.facts.get(Fact.BLOB, "")
    for other in desired.unread:
        if _is_it(entry.path, blob, other, desired):
            message = (
                f"{other.path} isn't read, for only *.yaml and *.yml that aren't hidden are, and looks like "
                f"{entry.path}, which declared {entry.ref}; to delete that, remove the file, else give it its name back"
            )
            return FILE_NOT_READ, message
    return None


def _is_it(path: str, blob: str, other: Unread, desired: DesiredState) -> bool:
    folder, _, name = path.rpartition("/")
    if other.path.endswith("/"):
        return _is_folder_of(path, other, desired)
    there, _, called = other.path.rpartition("/")
    return there == folder and ((bool(blob) and blob == other.blob) or _resembles(name, called))


def _is_folder_of(path: str, other: Unread, desired: DesiredState) -> bool:
    """A folder that was hidden, with all that it held."""
    there, _, called = other.path.rstrip("/").rpartition("/")
    before = f"{there}/{called.lstrip('.')}/" if there else f"{called.lstrip('.')}/"
    return path.startswith(before) and not any(read.startswith(before) for read in desired.blobs)


def _resembles(name: str, other: str) -> bool:
    """`web.YAML`, `web.yml.bak`, `.web.yaml`, `web.yaml~` and the like for `web.yaml`; not `web.md`."""
    stem = name.rpartition(".")[0].lower()
    called = other.lower().lstrip("._#~")
    if not called.startswith(stem):
        return False
    rest = called[len(stem) :]
    if rest[:1].isalnum():
        return False
    return bool(_YAML.search(rest)) or rest.strip(".~#_- ") in _ENDINGS
