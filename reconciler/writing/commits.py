"""Commits made in process: blobs, the trees above them, the commit, and the branch that moves to it or stays.

No work tree is looked at and no hook runs. Only a signature, which needs the user's keys and programs, is git's.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pygit2
from pygit2.enums import FileMode

from reconciler.errors import SourceError, Terminal, Transient
from reconciler.source.commit_text import Author
from reconciler.source.git_command import GitCommand
from reconciler.source.location import Remote
from reconciler.source.source import Moved
from reconciler.source.verification import VerifiedSource
from reconciler.writing.place import Note
from reconciler.writing.rewriting import Files

# What a branch names has to be on the disk before the branch is: a power cut must not leave a name for nothing.
pygit2.settings.enable_fsync_gitdir(True)

_LOCK_S: Final = 2.0  # how long another git may hold a lock before we say so
_PAUSE_S: Final = 0.02
_SIGNING_S: Final = 30.0


class Commits:
    """Makes commits in one repository. `folder` is its shared folder, `key` what it is called."""

    def __init__(self, folder: Path, key: str, guard: VerifiedSource | None) -> None:
        self._folder = folder
        self._key = key
        self._guard = guard
        self._repository = pygit2.Repository(str(folder))

    def content(self, commit: str, path: str) -> pygit2.Object | None:
        """What is at a path of a commit; None when nothing is."""
        tree = self._repository[commit].peel(pygit2.Tree)
        try:
            return tree[path]
        except KeyError:
            return None

    def taken(self, commit: str) -> Callable[[str], bool]:
        """Says of a path whether anything is there or in the way of it."""
        root = self._repository[commit].peel(pygit2.Tree)

        def taken(path: str) -> bool:
            tree = root
            for part in path.split("/"):
                if part not in tree:
                    return False
                entry = tree[part]
                if not isinstance(entry, pygit2.Tree):
                    return True
                tree = entry
            return True

        return taken

    def make(self, parent: str, files: Files, note: Note) -> str:
        """A commit on top of `parent`, on no branch yet. Raises SourceError, and Terminal when it can't be signed."""
        repository = self._repository
        with self._explained():
            parts = {tuple(path.split("/")): content for path, content in files.items()}
            tree = self._tree(repository[parent].peel(pygit2.Tree), parts)
            if tree is None:
                tree = repository.TreeBuilder().write()
            if self._guard is not None:
                commit = self._signed(self._guard, parent, str(tree), note)
            else:
                author = pygit2.Signature(note.author.name, note.author.email)
                commit = str(
                    repository.create_commit(
                        None, author, self._committer(), note.message, tree, [pygit2.Oid(hex=parent)]
                    )
                )
            return commit

    def move(self, reference: str, expected: str, commit: str) -> None:
        """Move a branch, which has to be at `expected`. Raises Moved when it isn't, Transient when it stays locked."""
        end = time.monotonic() + _LOCK_S
        while True:
            with self._explained():
                try:
                    found = self._repository.references.get(reference)
                    if found is None or str(found.resolve().target) != expected:
                        raise Moved
                    found.resolve().set_target(pygit2.Oid(hex=commit), "onggi: write")
                    break
                except (pygit2.GitError, OSError) as error:
                    if "does not match" in str(error):
                        raise Moved from None
                    if "lock" not in str(error):
                        raise
                    if time.monotonic() > end:
                        raise Transient(
                            f"{reference} in {self._key} is locked by another git; wait for it, or remove "
                            f"{self._folder / reference}.lock if none is running."
                        ) from None
            time.sleep(_PAUSE_S)

    def put(self, reference: str, commit: str) -> None:
        """Have a reference of our own at `commit`; empty: nowhere. Raises SourceError."""
        with self._explained():
            if commit:
                self._repository.references.create(reference, pygit2.Oid(hex=commit), force=True)
            elif self._repository.references.get(reference) is not None:
                self._repository.references.delete(reference)

    def at(self, reference: str) -> str:
        """The commit that a reference is at; empty when there is no such one."""
        with self._explained():
            found = self._repository.references.get(reference)
            return "" if found is None else str(found.peel(pygit2.Commit).id)

    def below(self, prefix: str) -> Mapping[str, str]:
        """The references that begin with `prefix`, and their commits."""
        with self._explained():
            names = list(self._repository.references)
            return {name: self.at(name) for name in names if name.startswith(prefix)}

    def note(self, commit: str) -> Note:
        """What a commit says about itself."""
        found = self._repository[commit].peel(pygit2.Commit)
        return Note(found.message, Author(found.author.name, found.author.email))

    def parent(self, commit: str) -> str:
        """The commit that this one was made on."""
        return str(self._repository[commit].peel(pygit2.Commit).parent_ids[0])

    def close(self) -> None:
        """Close the repository's files."""
        self._repository.free()

    def _tree(self, tree: pygit2.Tree | None, files: Mapping[tuple[str, ...], bytes | None]) -> pygit2.Oid | None:
        """The tree with other files in it; None when none is left."""
        builder = self._repository.TreeBuilder() if tree is None else self._repository.TreeBuilder(tree)
        below: defaultdict[str, dict[tuple[str, ...], bytes | None]] = defaultdict(dict)
        for (name, *rest), content in files.items():
            entry = tree[name] if tree is not None and name in tree else None
            if rest:
                below[name][tuple(rest)] = content
            elif content is None:
                builder.remove(name)
            else:
                mode = FileMode.BLOB if entry is None else entry.filemode
                builder.insert(name, self._repository.create_blob(content), mode)
        for name, inner in below.items():
            entry = tree[name] if tree is not None and name in tree else None
            oid = self._tree(entry if isinstance(entry, pygit2.Tree) else None, inner)
            if oid is not None:
                builder.insert(name, oid, FileMode.TREE)
            elif entry is not None:
                builder.remove(name)
        return builder.write() if len(builder) else None

    def _committer(self) -> pygit2.Signature:
        try:
            return self._repository.default_signature
        except (KeyError, pygit2.GitError, ValueError):
            return pygit2.Signature("onggi", "onggi@localhost")

    def _signed(self, guard: VerifiedSource, parent: str, tree: str, note: Note) -> str:
        """In an empty repository that borrows the objects: the source's own configuration could name programs."""
        command = GitCommand(Remote(url=self._key, key=self._key), timeout_s=_SIGNING_S)
        remedy = (
            "this source takes only signed commits: set user.name, user.email, user.signingKey and gpg.format in the "
            "git configuration of the user that onggi runs as, and load a key that has a passphrase into its agent"
        )
        env = {
            "GIT_AUTHOR_NAME": note.author.name,
            "GIT_AUTHOR_EMAIL": note.author.email,
            "GIT_OBJECT_DIRECTORY": str(self._folder / "objects"),
        }
        with tempfile.TemporaryDirectory(prefix="onggi-signing-") as folder:
            pygit2.init_repository(folder, bare=True).free()
            own = f"--git-dir={folder}"
            configured = command.run(own, "config", "--includes", "--name-only", "--list", "-z").lower().split("\0")
            if "user.signingkey" not in configured and "commit.gpgsign" not in configured:
                raise Terminal(f"{self._key} can't be written: {remedy}.")
            try:
                commit = command.run(
                    own, "commit-tree", "-S", "-p", parent, "-F", "-", tree,
                    given=note.message, env=env, doing="written", remedy=remedy,
                ).strip()  # fmt: skip
            except Transient as error:
                raise Terminal(str(error)) from None
        if mistake := guard.mistake(commit):
            raise Terminal(f"{self._key} can't be written: the commit {commit[:12]} {mistake}.")
        return commit

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pygit2.GitError, KeyError, ValueError, OSError) as error:
            raise SourceError(
                f"The repository {self._key} can't be written ({str(error) or type(error).__name__}); free some space "
                "or make it writable for this user, and run `git fsck` there."
            ) from None
