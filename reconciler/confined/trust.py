"""Who may write a place, besides root and the user that we run as: judged by names, owners and modes alone.

Nothing is opened but folders, so that no pipe can hold us up, and no link is followed that isn't judged. Where every
folder on the way is ours, nobody else can change what we saw in it: the judgement holds for as long as we don't give
anything away ourselves.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler.confined.identity import Identity, is_private

_MOST_LINKS: Final = 40  # as many as the kernel follows
_MOST_ENTRIES: Final = 1_000_000
_ACL: Final = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Others:
    """Others than us may write a place. `identity` is the weakest of them: one user, or nobody where there are several.

    `where` is the first thing that is theirs.
    """

    identity: Identity
    several: bool
    where: Path

    @property
    def who(self) -> str:
        """For a sentence: "kim", or "several users"."""
        return "several users" if self.several else self.identity.name


@dataclass(slots=True)
class Judgement:
    """Collects who may write what is looked at. `others` is the answer; None: nobody but us."""

    users: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    everybody: bool = False
    where: str = ""
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _entries: int = 0

    @property
    def clean(self) -> bool:
        """True while nobody but us was found."""
        return not self.where

    @property
    def others(self) -> Others | None:
        """Who was found."""
        if self.clean:
            return None
        if len(self.users) == 1 and not self.groups and not self.everybody:
            return Others(Identity.of(next(iter(self.users))), several=False, where=Path(self.where))
        gid = next(iter(self.groups)) if len(self.groups) == 1 else 0
        return Others(Identity.nobody(gid), several=True, where=Path(self.where))

    def way(self, path: str | Path, *, itself: bool = True) -> str | None:
        """Look at every folder and link on the way to `path`, and at `itself`: its real path, or None for nothing.

        Raises OSError for a way that can't be walked.
        """
        found, sticky = "/", False
        try:
            for each, status, last in _steps(os.fspath(path)):
                # In a sticky folder a thing can be exchanged by its owner alone; elsewhere by who may write the folder.
                if itself or not last or sticky:
                    self.entry(each, status, last=last)
                found, sticky = each, bool(status.st_mode & stat.S_ISVTX)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found

    def entry(self, path: str, status: os.stat_result, *, last: bool = True) -> None:
        """Look at one thing. In a sticky folder on the way nobody can replace what isn't theirs."""
        owner, mode = status.st_uid, status.st_mode
        if owner not in (0, os.geteuid()):
            self._found(path)
            self.users.add(owner)
        if stat.S_ISLNK(mode):
            return  # its mode says nothing: who may change it, may write the folder
        if not last and stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
            return
        if mode & stat.S_IWOTH:
            self._found(path)
            self.everybody = True
        if mode & stat.S_IWGRP and (_has_list(path) or not is_private(status.st_gid, owner)):
            self._found(path)
            self.groups.add(status.st_gid)

    @property
    def hopeless(self) -> bool:
        """True once nothing that is looked at could change the answer any more."""
        return self.everybody or bool(self.users and self.groups) or len(self.users) > 1 or len(self.groups) > 1

    def below(self, folder: str, *, files: bool, into: Callable[[str], object] = bool) -> list[str]:
        """Look at all folders below one, and at `files` too; the links, which aren't followed. What is in a folder
        isn't looked at where `into` says no of its path.
        """
        links: list[str] = []
        waiting = [folder]
        while waiting and not self.hopeless:
            above = waiting.pop()
            if not into(above):
                continue
            try:
                status = os.lstat(above)
                if (status.st_dev, status.st_ino) in self._seen:
                    continue
                self._seen.add((status.st_dev, status.st_ino))
                with os.scandir(above) as entries:
                    for entry in entries:
                        self._one(entry, files=files, waiting=waiting, links=links)
            except OSError:
                continue  # gone meanwhile, or not ours to read: then reading it fails as well
            if self._entries > _MOST_ENTRIES:
                self._found(above)
                self.everybody = True  # nobody can say: so it is nobody who reads it
                break
        return links

    def _one(self, entry: os.DirEntry[str], *, files: bool, waiting: list[str], links: list[str]) -> None:
        self._entries += 1
        if entry.is_symlink():
            links.append(entry.path)
        elif entry.is_dir(follow_symlinks=False):
            waiting.append(entry.path)
        elif not files:
            return
        self.entry(entry.path, entry.stat(follow_symlinks=False))

    def _found(self, path: str) -> None:
        self.where = self.where or path


def others_than_us(path: str | Path) -> Others | None:
    """Who else may write a file or folder, or put another in its place. Raises OSError when nothing is there."""
    judgement = Judgement()
    if judgement.way(path) is None:
        raise FileNotFoundError(path)
    return judgement.others


def others_on_the_way(path: str | Path, *, itself: bool = True) -> Others | None:
    """As `others_than_us`, as far as the way goes. Without `itself` only the folders count: who may put another there?

    Raises OSError for a way that can't be walked.
    """
    judgement = Judgement()
    judgement.way(path, itself=itself)
    return judgement.others


def _steps(path: str) -> Iterator[tuple[str, os.stat_result, bool]]:
    """Every name on the way, as the kernel would walk it, and whether it is the last one."""
    waiting = deque(_parts(path if path.startswith("/") else f"{Path.cwd()}/{path}"))
    current, links = "/", 0
    yield current, os.lstat(current), not waiting
    while waiting:
        name = waiting.popleft()
        if name == "..":
            current = os.path.dirname(current)  # noqa: PTH120
            continue
        following = os.path.join(current, name)  # noqa: PTH118
        status = os.lstat(following)
        is_link = stat.S_ISLNK(status.st_mode)
        yield following, status, not waiting and not is_link
        if not is_link:
            current = following
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(40, "too many links", path)
        target = str(Path(following).readlink())
        current = "/" if target.startswith("/") else current
        waiting.extendleft(reversed(list(_parts(target))))


def _parts(path: str) -> Iterable[str]:
    return (part for part in path.split("/") if part not in ("", "."))


def _has_list(path: str) -> bool:
    """True when an access control list stands behind the group's bits: then they say nothing of whom they are for."""
    try:
        return bool(os.getxattr(path, _ACL, follow_symlinks=False))
    except OSError:
        return False
