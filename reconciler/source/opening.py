"""Finds out what a location means: a repository on this machine, a remote one, or a plain folder; guarded or not.

Only what is needed for that one is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import SourceError
from reconciler.source.foreign.judging import others_at
from reconciler.source.location import (
    Remote,
    check_branch,
    parse_location,
    parse_sub_path,
)
from reconciler.source.source import Source

# What of a place is read.
COMMITS: Final = "commits"  # of a repository; the files of what is none
AS_WORK_TREE: Final = "work tree"  # a repository's files as they lie, but for what git ignores
AS_FOLDER: Final = "folder"  # files as they lie, whatever git says

if TYPE_CHECKING:
    from reconciler.confined.trust import Others
    from reconciler.source.signatures import SignaturePolicy


def open_source(
    location: str,
    *,
    branch: str = "",
    path: str = "",
    state_dir: Path,
    signatures: SignaturePolicy | None = None,
    recording: bool = False,
    worktree: bool = False,
) -> Source:
    """The source at `location`: a local repository or folder, or a remote (kept as a mirror below `state_dir`).

    `branch` is the default one when empty; `path` a folder inside the source. `signatures` says which commits have to
    be signed; with `recording` what passes is kept as the last good revision, which is for who holds the state's lock.
    With `worktree` a repository's files are read as they lie, which nobody can have signed: for looking ahead alone.
    Raises SourceError for a location, branch or path that isn't one, and for a local path where nothing is.
    """
    check_branch(branch)
    sub_path = parse_sub_path(path)
    where = parse_location(location)
    guarded = signatures is not None and signatures.wanted
    if isinstance(where, Remote):
        if worktree:
            raise SourceError(
                "A remote repository has no work tree here; name a clone of it, or leave --worktree away."
            )
        from reconciler.source.remote import RemoteRepository

        source: Source = RemoteRepository(where, branch=branch, sub_path=sub_path, state_dir=state_dir)
    else:
        if worktree and branch:
            raise SourceError("A work tree has the branch that is checked out; leave --branch or --worktree away.")
        folder = Path(where).expanduser().absolute()
        others = others_at(folder, files_too=worktree)
        if others is not None:
            return _foreign(folder, others, branch, sub_path, guarded=guarded, worktree=worktree)
        reading = AS_WORK_TREE if worktree else COMMITS
        source = local_source(folder, branch=branch, sub_path=sub_path, reading=reading)
        sub_path = getattr(source, "sub_path", sub_path)
    if signatures is None or not guarded or worktree:
        return source
    return _verified(source, signatures, branch, sub_path, state_dir, recording)


def open_folder(folder: Path) -> Source:
    """A folder's files as they lie, whether it is a repository or not. Raises SourceError."""
    from reconciler.source.folder import Folder

    folder = folder.absolute()  # a child has another current folder
    others = others_at(folder, files_too=True)
    if others is None:
        return Folder(folder, sub_path="")
    from reconciler.source.foreign.source import ForeignSource

    return ForeignSource(folder, others, reading=AS_FOLDER)


def local_source(folder: Path, *, branch: str, sub_path: str, reading: str) -> Source:
    """What is at a folder of this machine, opened by this very process: for what nobody else may write. Raises as
    `open_source`.
    """
    from reconciler.source.folder import Folder
    from reconciler.source.git import GitRepository
    from reconciler.source.work_tree import WorkTree

    if reading == AS_FOLDER:
        return Folder(folder, sub_path=sub_path)
    source, inside = _local(folder, branch, sub_path)
    if reading == COMMITS or not isinstance(source, GitRepository):
        return source  # a plain folder is read as it lies anyway
    source.close()
    return WorkTree(Path(source.key), sub_path=inside)


def _foreign(folder: Path, others: Others, branch: str, sub_path: str, *, guarded: bool, worktree: bool) -> Source:
    from reconciler.source.foreign.source import ForeignSource

    if guarded and not worktree:
        # A signature is a commit's, and vouches for files by their names alone, which only a fetch checks.
        raise SourceError(
            f"{folder} may be written by {others.who} ({others.where}), who could put other files behind a signed "
            "commit. Have onggi fetch it by its URL, as in file:///srv/infra.git, or make it root's alone (chown -R "
            "root, chmod -R go-w)."
        )
    return ForeignSource(
        folder, others, branch=branch, sub_path=sub_path, reading=AS_WORK_TREE if worktree else COMMITS
    )


def _verified(
    source: Source, signatures: SignaturePolicy, branch: str, sub_path: str, state_dir: Path, recording: bool
) -> Source:
    from reconciler.source.git import GitRepository
    from reconciler.source.last_good import LastGood
    from reconciler.source.remote import RemoteRepository
    from reconciler.source.signatures import SignatureCheck
    from reconciler.source.verification import VerifiedSource

    if not isinstance(source, GitRepository | RemoteRepository):
        raise SourceError(
            f"{source.key} is a plain folder, whose content nobody can have signed; make it a git repository, or leave "
            "require-signed away."
        )
    last_good = LastGood(state_dir, key=source.key, branch=branch, sub_path=sub_path)
    return VerifiedSource(source, signatures, SignatureCheck(signatures, state_dir), last_good, recording=recording)


def _local(path: Path, branch: str, sub_path: str) -> tuple[Source, str]:
    """The source, and the folder inside of it that is meant."""
    from reconciler.confined.identity import Identity
    from reconciler.source.folder import Folder
    from reconciler.source.git import GitRepository, discover

    try:
        root = path.resolve(strict=True)
    except PermissionError as error:
        who = Identity.of(os.geteuid()).name
        raise SourceError(
            f"{path} can't be reached by {who} ({error.strerror}): let {who} into every folder on the way, or make it "
            "root's alone (chown -R root, chmod -R go-w) where only root is to write it."
        ) from None
    except (OSError, RuntimeError):
        raise SourceError(
            f"There is nothing at {path}; correct the path, or make a repository there with `onggi init`."
        ) from None
    if not root.is_dir():
        raise SourceError(f"{path} isn't a folder; name the repository or folder that holds the documents.")
    found = discover(root)
    if found is not None:
        inside = "/".join(filter(None, (found.sub_path, sub_path)))
        return GitRepository(found.path, branch=branch, sub_path=inside, key=str(found.path)), inside
    if branch:
        raise SourceError(
            f"{root} isn't a git repository and has no branch {branch!r}; leave --branch away or run `git init` there."
        )
    return Folder(root, sub_path=sub_path), sub_path
