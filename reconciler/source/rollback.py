"""Going back by going forward: a new commit on the branch whose content is that of an earlier revision.

History only grows, so that everybody who follows it (an agent that requires signatures, a colleague's clone) comes
along. In a work tree the files follow, never over edits that aren't committed; to a remote the commit is pushed, never
over somebody else's. git itself does it all, as the user's own git would: their name, their signing key.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from reconciler.confined.identity import Identity
from reconciler.errors import Conflict, SourceError, Transient
from reconciler.source.files import shown
from reconciler.source.foreign.judging import others_at, top_of
from reconciler.source.git import discover
from reconciler.source.git_command import GitCommand
from reconciler.source.location import Remote, check_branch, parse_location
from reconciler.source.under_way import refuse_unfinished

TRAILER: Final = "Onggi-Source: cli"

_TIMEOUT_S: Final = 120.0
_LOCAL_REMEDY: Final = "correct that and run it again"
_STATES: Final = {"A": "added", "M": "changed", "D": "removed", "T": "changed"}
_SHOWN_NAMES: Final = 10


@dataclass(frozen=True, slots=True)
class PathChange:
    """What happens to one file: added, changed or removed."""

    change: str
    path: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was done, or would be done when `commit` is empty. All commits are full ids."""

    branch: str
    head: str
    restored: str  # the revision whose content is back
    changes: tuple[PathChange, ...]
    commit: str = ""
    pushed: bool = False


def roll_back(location: str, *, branch: str = "", to: str = "", dry_run: bool = False) -> Rollback:
    """Put the content of `to` (any name of a commit in the branch's history; empty: the head's parent) on the branch.

    `branch` is the default one when empty. Raises SourceError for what can't be rolled back, Conflict for uncommitted
    edits and for a branch that moved meanwhile, and Transient when a remote can't be reached. Then nothing is changed.
    """
    check_branch(branch)
    where = parse_location(location)
    if isinstance(where, Remote):
        return _remote(where, branch, to, dry_run=dry_run)
    return _local(Path(where).expanduser(), branch, to, dry_run=dry_run)


class _Git(Protocol):
    """The git command in one repository."""

    def __call__(self, *arguments: str, given: str | None = None) -> str: ...


def _local(path: Path, branch: str, to: str, *, dry_run: bool) -> Rollback:
    root, identity = _whose(path)
    key = str(root)
    command = GitCommand(Remote(url=key, key=key), timeout_s=_TIMEOUT_S, identity=identity)

    def git(*arguments: str, given: str | None = None) -> str:
        return command.run("-C", str(root), *arguments, given=given, doing="rolled back", remedy=_LOCAL_REMEDY)

    checked_out = _checked_out(git)
    branch = branch or _current_branch(git, key)
    rollback = _plan(git, key, branch, to)
    own = Path(git("rev-parse", "--absolute-git-dir").removesuffix("\n"))
    is_work_tree = git("rev-parse", "--is-bare-repository").strip() == "false"
    tree = checked_out.get(branch)
    if tree is not None and not (is_work_tree and tree == root):
        raise SourceError(
            f"The branch {branch} is checked out in {tree}; roll it back there, so that its files follow."
        )
    if tree is not None:
        refuse_unfinished(own, root)
        _refuse_edits(git, rollback, root)
    if dry_run:
        return rollback
    commit = _commit(git, key, rollback)
    if tree is not None:
        # Refused by git as a whole when a file has been edited since: index and files move together, or not at all.
        git("read-tree", "-m", "-u", rollback.head, commit)
    _advance(git, key, rollback, commit, restore=tree is not None)
    return _done(rollback, commit)


def _whose(path: Path) -> tuple[Path, Identity | None]:
    """The repository at a path, and as whom git works there: what is another user's is theirs to work on."""
    others = others_at(path) if path.is_dir() else None
    if others is None or os.geteuid() != 0:
        found = discover(path.resolve()) if path.is_dir() else None
        root = found.path if found is not None else None
    else:
        root = top_of(path)
    if root is None:
        raise SourceError(f"{path} isn't a git repository, and has no earlier revision; name one that is.")
    if others is not None and others.several:
        raise SourceError(
            f"{root} isn't rolled back: {others.where} may be changed by several users, who could lead git elsewhere. "
            "Give it one owner (chown -R, chmod -R go-w), or roll a clone of it back."
        )
    return root, others.identity if others is not None and os.geteuid() == 0 else None


def _remote(remote: Remote, branch: str, to: str, *, dry_run: bool) -> Rollback:
    """In a repository that is made for this and gone after it."""
    command = GitCommand(remote, timeout_s=_TIMEOUT_S)
    branch = branch or _default_branch(command, remote)
    reference = f"refs/heads/{branch}"
    with _empty_repository() as folder:
        command.run("init", "--quiet", "--bare", "--template=", str(folder), doing="rolled back", remedy=_LOCAL_REMEDY)

        def git(*arguments: str, given: str | None = None) -> str:
            own = f"--git-dir={folder}"
            return command.run(own, *arguments, given=given, doing="rolled back", remedy=_LOCAL_REMEDY)

        command.run(
            f"--git-dir={folder}", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--end-of-options", remote.url, f"+{reference}:{reference}", "+refs/tags/*:refs/tags/*",
        )  # fmt: skip
        git("symbolic-ref", "HEAD", reference)
        rollback = _plan(git, remote.key, branch, to)
        if dry_run:
            return rollback
        commit = _commit(git, remote.key, rollback)
        try:
            command.run(
                f"--git-dir={folder}", "push", "--quiet", "--no-verify", "--end-of-options", remote.url,
                f"{commit}:{reference}", doing="pushed to", remedy="check that this user's git may push there",
            )  # fmt: skip
        except Transient:
            now = command.run("ls-remote", "--quiet", "--end-of-options", remote.url, reference).partition("\t")[0]
            if now and now != rollback.head:
                raise Conflict(_moved(remote.key, rollback, now)) from None
            raise
    return _done(rollback, commit, pushed=True)


@contextmanager
def _empty_repository() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="onggi-rollback-") as folder:
        yield Path(folder) / "repository.git"


def _checked_out(git: _Git) -> Mapping[str, Path]:
    """The work tree in which each branch is checked out."""
    found: dict[str, Path] = {}
    place = ""
    for line in git("worktree", "list", "--porcelain", "-z").split("\0"):
        word, _, rest = line.partition(" ")
        if word == "worktree":
            place = rest
        elif word == "branch":
            found[rest.removeprefix("refs/heads/")] = Path(place).resolve()
    return found


def _current_branch(git: _Git, key: str) -> str:
    try:
        return git("symbolic-ref", "--short", "HEAD").strip()
    except Transient:
        raise SourceError(f"{key} has no branch checked out; choose one with --branch.") from None


def _default_branch(command: GitCommand, remote: Remote) -> str:
    answer = command.run("ls-remote", "--symref", "--quiet", "--end-of-options", remote.url, "HEAD")
    word, _, name = answer.partition("\t")[0].partition(" ")
    if word != "ref:":
        raise SourceError(f"{remote.key} has no default branch; choose one with --branch.")
    return name.removeprefix("refs/heads/")


def _commit_named(git: _Git, name: str) -> str:
    """The full id of a commit; empty when there is no such one."""
    try:
        return git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").strip()
    except Transient:
        return ""


def _plan(git: _Git, key: str, branch: str, to: str) -> Rollback:
    """What has to be done. Raises SourceError when there is nothing to go back to."""
    head = _commit_named(git, f"refs/heads/{branch}")
    if not head:
        raise SourceError(f"{key} has no commit on a branch {branch!r}; choose another with --branch.")
    restored = _commit_named(git, to or f"{head}^")
    if not restored:
        what = f"is no commit {shown(to)!r}" if to else f"is nothing before the first commit of {branch}"
        raise SourceError(f"In {key} there {what}; choose one of git log with --to.")
    try:
        git("merge-base", "--is-ancestor", restored, head)
    except Transient:
        raise SourceError(
            f"{restored[:12]} isn't in the history of {branch}; choose a revision that was there once with --to."
        ) from None
    words = git("diff-tree", "-r", "-z", "--no-renames", "--name-status", head, restored).split("\0")
    changes = tuple(
        PathChange(_STATES.get(state, "changed"), path) for state, path in zip(words[::2], words[1::2], strict=False)
    )
    if not changes:
        raise SourceError(f"{branch} in {key} is as {restored[:12]} already; choose another revision with --to.")
    return Rollback(branch, head, restored, changes)


def _refuse_edits(git: _Git, rollback: Rollback, root: Path) -> None:
    """Raises Conflict when a file that would change has edits that no commit holds, or isn't git's at all."""
    listed = git("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
    edited = [entry[3:].rstrip("/") for entry in listed.split("\0") if entry]
    wanted = [change.path for change in rollback.changes]
    in_the_way = sorted({mine for mine in edited for path in wanted if _overlap(mine, path)})
    if in_the_way:
        more = f" and {len(in_the_way) - _SHOWN_NAMES} more" if len(in_the_way) > _SHOWN_NAMES else ""
        names = ", ".join(map(shown, in_the_way[:_SHOWN_NAMES]))
        raise Conflict(f"{root} has edits that aren't committed in {names}{more}; commit, stash or move them first.")


def _overlap(one: str, other: str) -> bool:
    """True for the same path, and for one that lies in the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _commit(git: _Git, key: str, rollback: Rollback) -> str:
    """The new commit, which no branch has yet. Signed when the user's git signs commits."""
    summary = shown(git("show", "--no-patch", "--no-show-signature", "--format=%s", rollback.restored).strip())
    message = (
        f"Roll back to {rollback.restored[:12]}\n\nThe content is again that of {rollback.restored}:\n\n"
        f"    {summary}\n\n{TRAILER}\n"
    )
    sign = git("config", "--type=bool", "--default=false", "--get", "commit.gpgSign").strip() == "true"
    try:
        return git(
            "commit-tree", *(["-S"] if sign else []), "-p", rollback.head, "-F", "-", f"{rollback.restored}^{{tree}}",
            given=message,
        ).strip()  # fmt: skip
    except Transient as error:
        said = str(error).removeprefix(f"{key} can't be rolled back: ").removesuffix(f"; {_LOCAL_REMEDY}.")
        raise SourceError(
            f"git can't make the commit ({said}); set user.name and user.email, and load a signing key that has a "
            "passphrase into its agent."
        ) from None


def _advance(git: _Git, key: str, rollback: Rollback, commit: str, *, restore: bool) -> None:
    """Move the branch, unless somebody else has."""
    reference = f"refs/heads/{rollback.branch}"
    try:
        git("update-ref", "-m", "onggi rollback", reference, commit, rollback.head)
    except Transient:
        if restore:
            git("read-tree", "-m", "-u", commit, rollback.head)
        now = _commit_named(git, reference)
        if now == rollback.head:
            raise
        raise Conflict(_moved(key, rollback, now)) from None


def _moved(key: str, rollback: Rollback, now: str) -> str:
    return (
        f"{rollback.branch} in {key} moved meanwhile, from {rollback.head[:12]} to {now[:12] or 'nothing'}: nothing "
        "was rolled back; look at the new commit, and run it again."
    )


def _done(rollback: Rollback, commit: str, *, pushed: bool = False) -> Rollback:
    return replace(rollback, commit=commit, pushed=pushed)
