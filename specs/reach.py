"""What of a host documents may name: where their secrets may lie, and on which folders their pools may be made.

A document's author isn't the host's root: what root alone may read doesn't become a password, and what root alone may
write doesn't become a pool. Judged here by the text; who opens a file or makes a pool looks at what is really there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from specs import canonical
from specs.forbidden import Forbidden

_KEPT_SUFFIX = re.compile(r"-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Reach:
    """The bounds of one run. Folders count with all that is below them."""

    secret_folders: tuple[str, ...] = ()
    secret_variables: tuple[str, ...] = ()  # names; one that ends in `*` stands for all that begin so
    kept_secrets: str = ""  # the folder of those that clients handed over, each for one owner
    agents_secrets: frozenset[str] = frozenset()  # the agent's own, wherever they lie
    pool_folders: tuple[str, ...] = ()
    xml_areas: frozenset[str] = frozenset()  # into which XML in documents may reach: see `specs/overlay/areas.py`
    forbidden: tuple[Forbidden, ...] = ()  # what isn't said here, whatever else would do

    def folder_of(self, path: str) -> str:
        """The allowed folder that the secret file `path` lies in; empty when there is none."""
        path = canonical.path(path)
        if path in self.agents_secrets:
            return ""
        folders = (self.kept_secrets, *self.secret_folders) if self.kept_secrets else self.secret_folders
        return next((folder for folder in folders if is_below(path, folder)), "")

    def has_variable(self, name: str) -> bool:
        """Whether a document may name this variable."""
        return any(
            name == allowed or (allowed.endswith("*") and name.startswith(allowed[:-1]) and name != allowed[:-1])
            for allowed in self.secret_variables
        )

    def has_secret(self, source: Mapping[str, str], owners: Iterable[str]) -> bool:
        """Whether one of the `owners` may have the secret in this `file` or `env`."""
        if not (path := source.get("file")):
            return self.has_variable(source.get("env", ""))
        folder = self.folder_of(path)
        return is_kept_for(path, folder, owners) if folder == self.kept_secrets else bool(folder)

    def no_secret(self, source: Mapping[str, str]) -> str:
        """The one sentence for a secret that isn't to be had, which doesn't tell why: that would tell of the host."""
        where = f"the file {source['file']}" if source.get("file") else f"the variable {source['env']}"
        folders, variables = " or ".join(self.secret_folders), " or ".join(self.secret_variables)
        return (
            f"{where} can't be used as a secret here. Write it into the first line of a small text file below "
            f"{folders or 'a folder of allowed-secret-folder'} that is neither a link nor another user's to change, or "
            f"into a variable called {variables or 'as allowed-secret-variable says'}; or allow its place by "
            "allowed-secret-folder or allowed-secret-variable in onggi's settings"
        )

    def has_pool_folder(self, path: str) -> bool:
        """Whether a pool may be made on this folder."""
        path = canonical.path(path)
        return any(path == folder or is_below(path, folder) for folder in map(canonical.path, self.pool_folders))

    def no_pool_folder(self, path: str) -> str:
        """The sentence for a folder on which no pool may be made."""
        return (
            f"no pool may be made on {path}: it isn't below {', '.join(self.pool_folders) or 'any allowed folder'}; "
            "choose a folder there, or allow this one by allowed-pool-folder in onggi's settings"
        )


def console_owner(uid: str) -> str:
    """Whose the kept secret of a machine's console is."""
    return f"console-{uid}"


def console_owners(*uids: str) -> frozenset[str]:
    """The same for a machine that may have another UUID than its document says: an adopted one."""
    return frozenset(console_owner(uid) for uid in uids if uid)


def pool_owner(name: str) -> str:
    """Whose the kept secret of a pool is: a name of the letters that a file's name may have."""
    return f"pool-{sha256(name.encode()).hexdigest()[:32]}"


def is_kept_for(path: str, folder: str, owners: Iterable[str]) -> bool:
    """Whether a file of the folder of kept secrets is one of theirs."""
    file = PurePosixPath(canonical.path(path))
    return str(file.parent) == canonical.path(folder) and any(
        file.name.startswith(owner) and _KEPT_SUFFIX.fullmatch(file.name[len(owner) :]) for owner in owners
    )


def is_below(path: str, folder: str) -> bool:
    """True for a path inside a folder, by their text."""
    parts, allowed = PurePosixPath(path).parts, PurePosixPath(folder).parts
    return ".." not in parts and len(parts) > len(allowed) and parts[: len(allowed)] == allowed
