"""Merges what a stranger proposes, in a child with limits: a text of any size may stand on either side of it.

Only what both sides have changed has to be read, and no text that is larger than a document may be is among it;
whatever else there is to do for libgit2 ends with the child. It merges in memory and runs no programs, whatever a
repository's attributes ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import FileMode

from reconciler.confined.frames import BrokenTalkError, Frame
from reconciler.confined.process import Confined, Limits
from reconciler.errors import Conflict, SourceError, Transient
from reconciler.source.files import is_document_name, shown
from specs.document import MAX_FILE_BYTES
from specs.plain import NewJson

BASE: Final = "refs/onggi/base"
HEAD: Final = "refs/onggi/head"
MERGED: Final = "onggi-merged"

_MOST_DOCUMENTS: Final = 4_000  # files before and after the change
_MOST_BYTES: Final = 4 << 20
_LIMITS: Final = Limits(patience_s=30.0, memory=768 << 20, file_size=64 << 20)
_ERRORS: Final = {"Conflict": Conflict, "Transient": Transient}


class Merging:
    """Merges in the mirror at `mirror`. `close` is for any thread."""

    def __init__(self, mirror: Path) -> None:
        self._child = Confined("reconciler.source.merging", {"mirror": str(mirror)}, None, _LIMITS)

    def merge(self, expected: str) -> None:
        """Have the branch MERGED at HEAD, which is expected to be that commit, merged into BASE.

        Raises Transient for another head, Conflict for what can't be merged, SourceError for what can't be read.
        """
        try:
            answer = self._child.ask(Frame({"expected": expected})).header
        except BrokenTalkError as error:
            raise Conflict(
                f"The pull request can't be merged in reasonable time and memory ({error}); merge its branch by hand, "
                "or make it smaller."
            ) from None
        finally:
            self._child.restarted()  # nobody asks again soon, and nothing is kept for the next stranger
        kind = answer.get("error")
        if kind == "MemoryError":
            raise Conflict("The pull request needs too much memory to be merged; merge its branch by hand.")
        if kind is not None:
            raise _ERRORS.get(str(kind), SourceError)(str(answer.get("message")))

    def close(self) -> None:
        """End a merge that is under way."""
        self._child.close()


def answers(task: NewJson) -> Callable[[Frame], Frame]:
    """What runs in the child."""
    pygit2.settings.mwindow_size = 32 << 20
    pygit2.settings.mwindow_mapped_limit = 256 << 20
    return lambda question: _answer(Path(task["mirror"]), question.header["expected"])


def _answer(mirror: Path, expected: str) -> Frame:
    try:
        repository = pygit2.Repository(str(mirror))
        _merge(repository, expected)
    except (Conflict, Transient) as error:
        return Frame({"error": type(error).__name__, "message": str(error)})
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        return Frame({"error": "SourceError", "message": shown(str(error))[:500]})
    return Frame({})


def _merge(repository: pygit2.Repository, expected: str) -> None:
    base = repository.references[BASE].peel(pygit2.Commit)
    head = repository.references[HEAD].peel(pygit2.Commit)
    if str(head.id) != expected:
        raise Transient("The pull request has a newer commit by now; that one is planned next.")
    _refuse_large(repository, base, head)
    index = repository.merge_commits(base, head)
    if index.conflicts is not None:
        paths = sorted({entry.path for sides in index.conflicts for entry in sides if entry is not None})
        raise Conflict(f"{len(paths)} files differ in ways that can't be merged; merge {base.short_id} by hand first.")
    # Nobody's name and no date: the same two commits give the same one.
    nobody = pygit2.Signature("onggi", "onggi", 0, 0)
    tree = index.write_tree(repository)
    merged = repository.create_commit(None, nobody, nobody, "Merge", tree, [base.id, head.id])
    repository.references.create(f"refs/heads/{MERGED}", merged, force=True)


def _refuse_large(repository: pygit2.Repository, base: pygit2.Commit, head: pygit2.Commit) -> None:
    """Raises Conflict for a text that would have to be merged line by line and is larger than any document.

    Its header alone is read. What only one side has changed is taken as it is, however large.
    """
    common = repository.merge_base(base.id, head.id)
    ours, theirs = _changed(repository, common, base), _changed(repository, common, head)
    documents = [
        size
        for path, blobs in theirs.items()
        if is_document_name(path)
        for size in (repository.odb.read_header(blob)[1] for blob in blobs)
        if size <= MAX_FILE_BYTES
    ]
    if len(documents) > _MOST_DOCUMENTS or sum(documents) > _MOST_BYTES:
        raise Conflict(
            f"The pull request changes {len(documents)} contents of {sum(documents) >> 10} KiB, more than the "
            f"{_MOST_DOCUMENTS} of {_MOST_BYTES >> 10} KiB that are planned for anybody; plan it by hand (onggi plan)."
        )
    for path in ours.keys() & theirs.keys():
        for blob in ours[path] | theirs[path]:
            if (size := repository.odb.read_header(blob)[1]) > MAX_FILE_BYTES:
                raise Conflict(
                    f"{shown(path)} is changed by the pull request and by the branch, and has {size} bytes, more than "
                    f"the {MAX_FILE_BYTES} that are merged; split it, or merge it by hand."
                )


def _changed(
    repository: pygit2.Repository, since: pygit2.Oid | None, commit: pygit2.Commit
) -> dict[str, set[pygit2.Oid]]:
    """The paths that one side has changed, and what lay and lies there."""
    tree = commit.peel(pygit2.Tree)
    before = repository[since].peel(pygit2.Tree) if since is not None else None
    found: dict[str, set[pygit2.Oid]] = {}
    for delta in (before.diff_to_tree(tree) if before is not None else tree.diff_to_tree()).deltas:
        for side in (delta.old_file, delta.new_file):
            if side.id.raw.strip(b"\0") and side.mode != FileMode.COMMIT:
                found.setdefault(side.path, set()).add(side.id)
    return found
