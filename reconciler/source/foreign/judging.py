"""Who else may write a repository or a folder: it, everything on the way to it, and all that git would read of it.

Judged before libgit2 or git look: what they would follow (a link, a `.git` file, a borrowed store of objects) is only
followed here for as long as nobody else could have put it there.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.confined.trust import Judgement, Others, others_than_us
from reconciler.errors import SourceError

_LONGEST_POINTER: Final = 64 << 10
_MOST_PLACES: Final = 64
_LOOSE_OBJECTS: Final = re.compile(r"/objects/[0-9a-f]{2}\Z")


def others_at(path: Path, *, files_too: bool = False) -> Others | None:
    """Who else may write the source at `path`; None when nobody may. With `files_too` a work tree's files count too.

    Raises SourceError for a folder that is ours in a repository that isn't.
    """
    judgement = Judgement()
    try:
        real = judgement.way(path)
    except OSError as error:
        raise SourceError(f"{path} can't be looked at ({error.strerror}); correct the path.") from None
    if real is None:
        return judgement.others  # whoever opens it tells that nothing is there
    around = _git_folder(real)
    if around is None:
        _walk(judgement, real, files=False)
        return judgement.others
    root, git_folder = around
    # Whoever may write into a parent, such as /tmp, could otherwise put commits in the place of a folder's files. What
    # makes a bare repository may each be put there by another than the folder's owner, whoever that is.
    unsure = judgement.clean or root == git_folder
    if root != real and (_is_anothers(git_folder, real) or (unsure and _may_be_written(git_folder))):
        raise SourceError(f"{real} lies in a repository of another user ({root}); name {root} itself if you trust it.")
    if files_too:
        _walk(judgement, real, files=False)
    _judge_git(judgement, git_folder)
    return judgement.others


def top_of(path: Path) -> Path | None:
    """The top of the repository around a folder, found by names alone; None where there is none."""
    try:
        real = Judgement().way(path)
    except OSError:
        return None
    around = _git_folder(real) if real is not None else None
    return Path(around[0]) if around is not None else None


def _is_anothers(git_folder: str, folder: str) -> bool:
    """True for a repository that belongs neither to us nor to whom the folder does."""
    try:
        return os.lstat(git_folder).st_uid not in (0, os.geteuid(), os.lstat(folder).st_uid)
    except OSError:
        return True


def _may_be_written(place: str) -> bool:
    """True when others than us may write a place."""
    try:
        return others_than_us(place) is not None
    except OSError:
        return False


def _git_folder(real: str) -> tuple[str, str] | None:
    """The top of the repository around a folder, and its `.git`, as git would find it."""
    for folder in (Path(real), *Path(real).parents):
        if os.path.lexists(folder / ".git"):
            return str(folder), str(folder / ".git")
        if all(os.path.lexists(folder / name) for name in ("HEAD", "objects", "refs")):
            return str(folder), str(folder)
    return None


def _judge_git(judgement: Judgement, git_folder: str) -> None:
    """A repository's own folder, and every other place that it sends git to."""
    waiting, seen = [git_folder], 0
    while waiting and seen < _MOST_PLACES:
        place = waiting.pop()
        seen += 1
        real = judgement.way(place)
        if real is None:
            continue
        if not Path(real).is_dir():
            if judgement.clean:
                waiting.extend(_pointed(real, "gitdir: ", os.path.dirname(real)))  # noqa: PTH120
            continue
        waiting.extend(_walk(judgement, real, files=True))
        if judgement.clean:  # only we have written these
            waiting.extend(_pointed(f"{real}/commondir", "", real))
            waiting.extend(_pointed(f"{real}/objects/info/alternates", "", f"{real}/objects"))
            waiting.extend(_pointed(f"{real}/info/alternates", "", real))  # `real` is a store of objects itself


def _walk(judgement: Judgement, folder: str, *, files: bool) -> list[str]:
    """Everything below; the links to places that have to be judged too."""
    # There are very many loose objects, and whoever reads one checks it against its name.
    links = judgement.below(folder, files=files, into=lambda place: not _LOOSE_OBJECTS.search(place))
    return links if files and judgement.clean else []


def _pointed(file: str, prefix: str, base: str) -> Iterator[str]:
    """The places that a file of git's names, one in each line."""
    try:
        status = os.lstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST_POINTER:
            return
        lines = Path(file).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        if line.startswith(prefix) and (target := line.removeprefix(prefix).strip()) and not line.startswith("#"):
            yield os.path.join(base, target)  # noqa: PTH118  # relative to where git has it
