"""What answers in the child: the very sources and places that are used for what is ours, under the other's identity."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pygit2

from reconciler.confined.frames import Frame
from reconciler.errors import Conflict, OnggiError, SourceError, Transient
from reconciler.source import limits, watch
from reconciler.source.commit_text import Author
from reconciler.source.folder import Folder
from reconciler.source.foreign.telling import told
from reconciler.source.git import GitRepository
from reconciler.source.opening import local_source
from reconciler.source.source import Moved, Source
from reconciler.source.tree import SourceTree
from reconciler.source.work_tree import WorkTree
from reconciler.writing.local import LocalPlace
from reconciler.writing.place import Note, Place
from reconciler.writing.plain_folder import FolderPlace
from reconciler.writing.rewriting import Tip
from specs.plain import NewJson

_LONGEST: int = 2000


def answers(task: NewJson) -> Callable[[Frame], Frame]:
    """What answers for one source."""
    limits.allow(task["max_files"])
    # Packs are mapped in pieces that fit into what this process may have.
    pygit2.settings.mwindow_size = 32 << 20
    pygit2.settings.mwindow_mapped_limit = 256 << 20
    return _Served(task).answer


class _Served:
    """One source, opened by the first question."""

    def __init__(self, task: NewJson) -> None:
        self._task = task
        self._opened: Source | None = None
        self._place: Place | None = None
        self._told: SourceTree | None = None
        self._tip: Tip | None = None
        self._watch: watch.SourceWatch | None = None
        self._verbs: dict[str, Callable[[NewJson, Frame], Frame]] = {
            "open": self._open, "read": self._read, "builds_on": self._builds_on, "watch": self._watched,
            "taken": self._taken, "put": self._put, "recover": self._recover,
        }  # fmt: skip

    def answer(self, question: Frame) -> Frame:
        """The answer; an error is one too."""
        try:
            return self._verbs[question.header["verb"]](question.header, question)
        except Moved:
            return Frame({"error": "Moved"})
        except OnggiError as error:
            kinds = (Conflict, SourceError, Transient)
            kind = next((kind.__name__ for kind in kinds if isinstance(error, kind)), "SourceError")
            return Frame({"error": kind, "message": str(error)[:_LONGEST]})
        except Exception as error:  # whatever it is, it is told to who asked
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            return Frame({"error": "Unexpected", "message": what})

    @property
    def _source(self) -> Source:
        if self._opened is None:
            task = self._task
            self._opened = local_source(
                Path(task["location"]), branch=task["branch"], sub_path=task["path"], reading=task["reading"]
            )
        return self._opened

    def _open(self, _header: NewJson, _frame: Frame) -> Frame:
        source = self._source
        return Frame({"key": source.key, "sub_path": getattr(source, "sub_path", "")})

    def _read(self, header: NewJson, _frame: Frame) -> Frame:
        if header["writing"]:
            self._tip = self._written().tip()
            tree = self._tip.tree
        else:
            tree = self._source.read()
        before = self._told if self._told is not None and header["known"] == str(self._told.revision) else None
        if tree is before:
            return Frame({"same": True})
        source = self._source
        frame = told(tree, before, source.uncommitted if isinstance(source, WorkTree) else ())
        self._told = None if "error" in frame.header else tree
        return frame

    def _builds_on(self, header: NewJson, _frame: Frame) -> Frame:
        return Frame({"result": self._source.builds_on(header["since"], header["commit"])})

    def _watched(self, _header: NewJson, _frame: Frame) -> Frame:
        if self._watch is None:
            self._watch = watch.SourceWatch(self._source, self._wake)
            self._watch.start()
        return Frame({})

    def _wake(self) -> None:
        try:
            os.write(self._task["news"], b"!")
        except OSError:
            return  # full: there is news already that nobody has heard yet; or nobody is there

    def _written(self) -> Place:
        if self._place is None:
            source = self._source
            if isinstance(source, GitRepository):
                self._place = LocalPlace(source, source)
            elif isinstance(source, Folder):
                self._place = FolderPlace(source)
            else:
                raise SourceError(f"{source.key} isn't written as it lies; leave --worktree away.")
        return self._place

    def _taken(self, header: NewJson, _frame: Frame) -> Frame:
        if self._tip is None:
            self._tip = self._written().tip()
        return Frame({"result": self._tip.taken(header["path"])})

    def _put(self, header: NewJson, frame: Frame) -> Frame:
        if self._tip is None or str(self._tip.tree.revision) != header["revision"]:
            raise Moved
        paths, contents = frame.parts[::2], frame.parts[1::2]
        files = {
            path.decode(): (content[1:] if content else None) for path, content in zip(paths, contents, strict=True)
        }
        note = Note(header["message"], Author(header["name"], header["email"]))
        revision, _ = self._written().put(self._tip, files, note)
        return Frame({"revision": [revision.branch, revision.algorithm, revision.digest]})

    def _recover(self, _header: NewJson, _frame: Frame) -> Frame:
        self._written().recover()
        return Frame({})
