"""A work tree in which the branch is checked out: its files and its index follow the commit, never over an edit.

Everything that can fail is done before the branch moves: the index is locked as git locks it, the new files lie beside
the old ones. What is under way is written down in the repository's folder first, so that the next write finishes it
after a crash; a lock on that record keeps two agents apart.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pygit2
from pygit2.enums import FileMode

from reconciler.errors import Conflict, OnggiError, SourceError, Transient
from reconciler.source.files import shown
from reconciler.source.under_way import refuse_unfinished
from reconciler.writing import inside
from specs.plain import Json

log = logging.getLogger("onggi.source")

_LOCK_S: Final = 2.0
_PAUSE_S: Final = 0.02
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class FileStep:
    """One file: the name of its content as the branch had it, and what it is to be. None: no file."""

    old: str | None
    new: bytes | None
    mode: int = FileMode.BLOB


def work_trees(shared: Path, branch: str) -> list[WorkTree]:
    """Where a branch is checked out: the repository's own work tree, or linked ones."""
    found = []
    linked = sorted((shared / "worktrees").iterdir()) if (shared / "worktrees").is_dir() else []
    for own in (shared, *linked):
        try:
            if f"refs/heads/{branch}" not in _branches(own):
                continue
            if own is shared:
                repository = pygit2.Repository(str(shared))
                root = None if repository.is_bare else Path(repository.workdir)
                repository.free()
            else:
                root = Path((own / "gitdir").read_text().strip()).parent
        except (OSError, pygit2.GitError):
            continue
        if root is not None and root.is_dir():
            found.append(WorkTree(root, own))
    return found


def _branches(own: Path) -> list[str]:
    """The branch that is checked out, and the one that a rebase will put back."""
    names = ("HEAD", "rebase-merge/head-name", "rebase-apply/head-name")
    return [(own / name).read_text().strip().removeprefix("ref: ") for name in names if (own / name).is_file()]


class WorkTree:
    """One work tree, through one change: `begin`, then `finish` or `abandon`."""

    def __init__(self, root: Path, own: Path) -> None:
        self.root = root
        self._own = own
        self._journal = -1
        self._asides: dict[str, str] = {}
        self._steps: Mapping[str, FileStep] = {}
        self._locked = False
        self._noted = False  # the record is of this change, and not of one that was cut off

    def begin(self, steps: Mapping[str, FileStep], head: Callable[[str], str | None]) -> None:
        """Get everything ready. `head` names the content that the branch has at a path now.

        Raises Conflict for edits that aren't committed, Transient when another git is at work, SourceError.
        """
        self._steps = steps
        try:
            self._open_journal()
            self._recover(head)
            refuse_unfinished(self._own, self.root)
            self._lock_index()
            self._refuse_edits()
            self._noted = True
            self._note({"lock": self._own_lock(), "files": {path: [s.old, ""] for path, s in steps.items()}})
            for path, step in steps.items():
                if step.new is not None:
                    self._asides[path] = inside.prepare(self.root, path, self._as_checked_out(path, step))
            files = {path: [step.old, self._asides.get(path, "")] for path, step in steps.items()}
            self._note({"lock": self._own_lock(), "files": files})
            self._write_index()
        except BaseException as error:
            self.abandon()
            if isinstance(error, OSError | pygit2.GitError) and not isinstance(error, OnggiError):
                reason = getattr(error, "strerror", None) or error
                raise SourceError(
                    f"The files in {self.root} can't follow a commit ({reason}); free some space, or make the folder "
                    "writable for this user."
                ) from None
            raise

    def finish(self) -> None:
        """Let files and index follow: the branch has moved. What can't is told in the log, and tried again later."""
        try:
            for path, step in self._steps.items():
                self._follow(path, step)
            if self._locked:
                (self._own / "index.lock").rename(self._own / "index")
                self._locked = False
            self._note({})
        except OSError as error:
            log.warning("the files in %s don't follow the last commit yet (%s)", self.root, error.strerror)
            if self._locked:
                (self._own / "index.lock").unlink(missing_ok=True)
        finally:
            self._close()

    def abandon(self) -> None:
        """Leave everything as it was: the branch hasn't moved."""
        try:
            for path, aside in self._asides.items():
                inside.forget(self.root, path, aside)
            if self._locked:
                (self._own / "index.lock").unlink(missing_ok=True)
                self._locked = False
            if self._noted:
                self._note({})
        except OSError as error:
            log.warning("what was begun in %s can't be taken back (%s)", self.root, error.strerror)
        finally:
            self._close()

    def recover(self, head: Callable[[str], str | None]) -> None:
        """Finish what a crash has cut off. `head` and errors as for `begin`."""
        record = self._own / "onggi-writing"
        try:
            if record.exists() and record.stat().st_size:
                self._open_journal()
                self._recover(head)
        except (OSError, pygit2.GitError) as error:
            raise SourceError(
                f"The files in {self.root} can't follow an earlier commit ({error}); make the folder writable."
            ) from None
        finally:
            if self._locked:
                (self._own / "index.lock").unlink(missing_ok=True)
                self._locked = False
            self._close()

    def _follow(self, path: str, step: FileStep) -> None:
        try:
            unchanged = self._is(inside.read(self.root, path), step.old)
        except OSError:
            unchanged = False
        if not unchanged:
            log.warning("%s in %s was edited at this very moment and stays as it is", shown(path), self.root)
            if path in self._asides:
                inside.forget(self.root, path, self._asides[path])
        elif step.new is None:
            inside.remove(self.root, path)
        else:
            inside.take_place(self.root, path, self._asides[path])

    def _open_journal(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._journal = os.open(self._own / "onggi-writing", flags, 0o666)
        end = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Transient(f"Another onggi is writing in {self.root}; wait for it.") from None
            time.sleep(_PAUSE_S)

    def _note(self, record: Json) -> None:
        content = json.dumps(record).encode() if record else b""
        os.pwrite(self._journal, content + b" " * 64, 0) if content else None
        os.ftruncate(self._journal, len(content))
        os.fsync(self._journal)

    def _close(self) -> None:
        if self._journal >= 0:
            os.close(self._journal)
        self._journal = -1
        self._asides = {}

    def _recover(self, head: Callable[[str], str | None]) -> None:
        """Have the files that nobody has touched since follow the branch after all."""
        try:
            record = json.loads(os.pread(self._journal, 1 << 20, 0) or b"{}")
            files: dict[str, list[Any]] = record.get("files", {})
            lock = self._own / "index.lock"
            if lock.exists() and lock.stat().st_ino == record.get("lock"):
                lock.unlink()
        except (ValueError, AttributeError):
            files = {}
        if not files:
            return
        log.warning("an earlier write in %s was cut off; its files follow now", self.root)
        self._lock_index()
        index = pygit2.Index(str(self._copied_index()))
        for path, (old, aside) in files.items():
            if aside:
                inside.forget(self.root, path, str(aside))
            self._catch_up(index, path, old, head(path))
        self._publish(index)
        (self._own / "index.lock").rename(self._own / "index")
        self._locked = False
        self._note({})

    def _catch_up(self, index: pygit2.Index, path: str, old: str | None, now: str | None) -> None:
        try:
            on_disk = inside.read(self.root, path)
        except OSError:
            return
        if now == old or _indexed(index, path) != old or not (self._is(on_disk, old) or self._is(on_disk, now)):
            return
        if now is None:
            if on_disk is not None:
                inside.remove(self.root, path)
            index.remove(path)
            return
        if not self._is(on_disk, now):
            repository = pygit2.Repository(str(self._own))
            blob = repository[now]
            assert isinstance(blob, pygit2.Blob)  # noqa: S101 - the branch has a file there
            step = FileStep(old, blob.data)
            inside.take_place(self.root, path, inside.prepare(self.root, path, self._as_checked_out(path, step)))
            repository.free()
        index.add(pygit2.IndexEntry(path, pygit2.Oid(hex=now), FileMode.BLOB))

    def _refuse_edits(self) -> None:
        index = pygit2.Index(str(self._own / "index"))
        edited = []
        for path, step in self._steps.items():
            try:
                content = inside.read(self.root, path)
                clean = _indexed(index, path) == step.old and self._is(content, step.old)
            except inside.InTheWayError:
                clean = False
            if not clean:
                edited.append(path)
        if edited:
            more = f" and {len(edited) - _SHOWN} more" if len(edited) > _SHOWN else ""
            names = ", ".join(map(shown, edited[:_SHOWN]))
            raise Conflict(f"{self.root} has edits that aren't committed in {names}{more}; commit or move them first.")

    def _is(self, content: bytes | None, name: str | None) -> bool:
        """True when a file says what the branch has under this name, whatever line ends the work tree has."""
        if content is None or name is None:
            return content is None and name is None
        plain = content.replace(b"\r\n", b"\n") if self._converts() else content
        return name in (str(pygit2.hash(content)), str(pygit2.hash(plain)))

    def _converts(self) -> bool:
        """True when git may have put other line ends into the work tree."""
        if (self.root / ".gitattributes").exists():
            return True
        repository = pygit2.Repository(str(self._own))
        config = repository.config
        value = config["core.autocrlf"] if "core.autocrlf" in config else ""  # noqa: SIM401  # pygit2's has no `get`
        repository.free()
        return str(value).lower() in ("true", "input", "1", "yes", "on")

    def _as_checked_out(self, path: str, step: FileStep) -> bytes:
        new = step.new or b""
        before = inside.read(self.root, path) if step.old is not None else None
        if before is None or b"\r\n" not in before or b"\r\n" in new or str(pygit2.hash(before)) == step.old:
            return new
        return new.replace(b"\n", b"\r\n")

    def _lock_index(self) -> None:
        end = time.monotonic() + _LOCK_S
        lock = self._own / "index.lock"
        while True:
            try:
                descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                if time.monotonic() > end:
                    raise Transient(
                        f"Another git is at work in {self.root}; wait for it, or remove {lock} if none is running."
                    ) from None
                time.sleep(_PAUSE_S)
                continue
            self._locked = True
            os.close(descriptor)
            return

    def _own_lock(self) -> int:
        return (self._own / "index.lock").stat().st_ino

    def _write_index(self) -> None:
        index = pygit2.Index(str(self._copied_index()))
        for path, step in self._steps.items():
            if step.new is None:
                index.remove(path)
            else:
                index.add(pygit2.IndexEntry(path, pygit2.hash(step.new), FileMode(step.mode)))
        self._publish(index)

    def _copied_index(self) -> Path:
        copy = self._own / "onggi-index"
        copy.unlink(missing_ok=True)
        if (self._own / "index").exists():
            shutil.copyfile(self._own / "index", copy)
        return copy

    def _publish(self, index: pygit2.Index) -> None:
        """Put the index into the lock file, which then takes the index's place at once."""
        index.write()
        copy = self._own / "onggi-index"
        with (self._own / "index.lock").open("wb") as file:
            file.write(copy.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        copy.unlink()


def _indexed(index: pygit2.Index, path: str) -> str | None:
    """The name of what is staged at a path; None when nothing is, and empty for a merge that isn't finished."""
    try:
        return str(index[path].id)
    except KeyError:
        conflicts = index.conflicts
        return None if conflicts is None or path not in conflicts else ""
