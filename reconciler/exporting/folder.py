"""The folder that documents are exported into: what it holds already, and how a file gets there without losing another.

A link is never followed, neither when reading nor when writing.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.confined.trust import others_on_the_way
from reconciler.desired.load import Loader
from reconciler.errors import Conflict, OnggiError
from reconciler.source.files import REPOSITORY_FILE
from reconciler.source.folder import Folder
from reconciler.source.git import discover
from specs.reference import Ref


@dataclass(frozen=True, slots=True)
class Present:
    """What a folder holds: its repository's id (a new one where none is declared), and the file of each object."""

    repository_id: str
    is_new: bool  # the id isn't written there yet
    declared: Mapping[Ref, str]


def look(folder: Path | None) -> Present:
    """What is there; None: nothing yet. Raises OnggiError for what can't be read, Conflict for a broken onggi.yaml."""
    if folder is None:
        return Present(str(uuid.uuid4()), True, {})
    refuse_others(folder)
    if folder.exists() and not folder.is_dir():
        raise Conflict(f"{folder} isn't a folder; choose another.")
    if (around := _around(folder)) is not None:
        return around
    if not folder.exists():
        return Present(str(uuid.uuid4()), True, {})
    tree = Folder(folder, sub_path="").read()
    broken = next((problem for problem in tree.problems if problem.path == REPOSITORY_FILE), None)
    if broken is not None:
        raise Conflict(f"{folder / REPOSITORY_FILE} can't be used: {broken.message}")
    declared = {document.ref: document.path for document in Loader().load(tree).documents}
    return Present(tree.repository_id or str(uuid.uuid4()), not tree.repository_id, declared)


def refuse_others(folder: Path) -> None:
    """Raises Conflict for a folder that others than us may write: they could lead what is written elsewhere."""
    try:
        others = others_on_the_way(folder)
    except OSError:
        return  # whoever writes there tells why that can't be
    if others is not None:
        raise Conflict(
            f"{others.where} may be changed by {others.who}, who could lead what is written to {folder} elsewhere; "
            f"choose a folder that is yours alone (chown, chmod go-w), or give the command as {others.who}."
            if not others.several
            else f"{others.where} may be changed by several users, who could lead what is written to {folder} "
            "elsewhere; choose a folder that is yours alone (chown, chmod go-w)."
        )


def _around(folder: Path) -> Present | None:
    """What the repository that `folder` is a part of holds: the folder shares its id, which only its root declares."""
    above = folder.absolute()
    while not above.is_dir():
        above = above.parent
    found = discover(above.resolve())
    if found is None or not (found.path / REPOSITORY_FILE).is_file() or (folder / REPOSITORY_FILE).exists():
        return None
    inside = folder.resolve().relative_to(found.path).as_posix()
    if inside == ".":
        return None
    present = look(found.path)
    return replace(present, declared={ref: path.removeprefix(f"{inside}/") for ref, path in present.declared.items()})


def put(folder: Path, path: str, text: str, *, force: bool) -> bool:
    """Write one file. False when another one is there, which stays; with `force` it is replaced as a whole."""
    target = folder / path
    content = text.encode()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if force:
            aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
            _write(aside, content)
            aside.replace(target)
            return True
        try:
            _write(target, content)
        except FileExistsError:
            return not target.is_symlink() and target.is_file() and target.read_bytes() == content
    except OSError as error:
        raise OnggiError(f"{target} can't be written ({error.strerror}); check the folder.") from None
    return True


def _write(path: Path, content: bytes) -> None:
    """Make a file that isn't there yet, whole or not at all. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
