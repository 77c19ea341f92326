"""Finds out what a location means: a repository on this machine, a remote one, or a plain folder; guarded or not.

Only what is needed for that one is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.desired.location import Remote, check_branch, parse_location, parse_sub_path
from reconciler.desired.source import Source
from reconciler.errors import SourceError

if TYPE_CHECKING:
    from reconciler.desired.signatures import SignaturePolicy


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
    if worktree:
        return _work_tree(where, branch, sub_path)
    if isinstance(where, Remote):
        from reconciler.desired.remote import RemoteRepository

        source: Source = RemoteRepository(where, branch=branch, sub_path=sub_path, state_dir=state_dir)
    else:
        source, sub_path = _local(Path(where).expanduser(), branch, sub_path)
    if signatures is None or not signatures.wanted:
        return source
    return _verified(source, signatures, branch, sub_path, state_dir, recording)


def _work_tree(where: Remote | Path | str, branch: str, sub_path: str) -> Source:
    from reconciler.desired.git import GitRepository
    from reconciler.desired.work_tree import WorkTree

    if isinstance(where, Remote):
        raise SourceError("A remote repository has no work tree here; name a clone of it, or leave --worktree away.")
    if branch:
        raise SourceError("A work tree has the branch that is checked out; leave --branch or --worktree away.")
    source, inside = _local(Path(where).expanduser(), "", sub_path)
    if not isinstance(source, GitRepository):
        return source  # a plain folder is read as it lies anyway
    source.close()
    return WorkTree(Path(source.key), sub_path=inside)


def _verified(
    source: Source, signatures: SignaturePolicy, branch: str, sub_path: str, state_dir: Path, recording: bool
) -> Source:
    from reconciler.desired.git import GitRepository
    from reconciler.desired.last_good import LastGood
    from reconciler.desired.remote import RemoteRepository
    from reconciler.desired.signatures import SignatureCheck
    from reconciler.desired.verification import VerifiedSource

    if not isinstance(source, GitRepository | RemoteRepository):
        raise SourceError(
            f"{source.key} is a plain folder, whose content nobody can have signed; make it a git repository, or leave "
            "require-signed away."
        )
    last_good = LastGood(state_dir, key=source.key, branch=branch, sub_path=sub_path)
    return VerifiedSource(source, signatures, SignatureCheck(signatures, state_dir), last_good, recording=recording)


def _local(path: Path, branch: str, sub_path: str) -> tuple[Source, str]:
    """The source, and the folder inside of it that is meant."""
    from reconciler.desired.folder import Folder
    from reconciler.desired.git import GitRepository, discover

    try:
        root = path.resolve(strict=True)
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
