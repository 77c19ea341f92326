"""A git repository on this machine, read from its objects: what is committed counts, and a work tree's files never do.

Reading is incremental. A folder whose tree object is the one of the last reading is carried over as it is, so that one
changed file among a thousand costs the listing of the folders above it and nothing else.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType, SortMode

from reconciler.confined.identity import is_private
from reconciler.errors import SourceError
from reconciler.source import files
from reconciler.source.files import Budget
from reconciler.source.repository_file import declared_repository_id
from reconciler.source.tree import Revision, SourceFile, SourceTree, Unread
from specs.document import MAX_FILE_BYTES
from specs.problem import Problem

# libgit2 refuses repositories of another user, because git run in one could run programs that its configuration names.
# We run as root on users' repositories and only ever read objects and references through libgit2, which runs nothing.
pygit2.settings.owner_validation = False

_MAX_TREE_BYTES = 32 << 20  # of one tree object; the longest that MAX_ENTRIES names amount to in practice


@dataclass(frozen=True, slots=True)
class Discovered:
    """A repository (its work tree, or itself when bare) and where inside it the asked-for folder is."""

    path: Path
    sub_path: str


def discover(folder: Path) -> Discovered | None:
    """The repository that holds `folder`; None when there is none. Raises SourceError for one that can't be opened."""
    found: str | None = pygit2.discover_repository(str(folder))
    if not found:
        return None
    if _is_anybodys(own := Path(found), folder):
        raise SourceError(
            f"{folder} lies in a repository that anybody may put there ({own}); put the folder elsewhere."
        )
    repository = _open(own)
    if repository.is_bare:
        return Discovered(Path(repository.path), "")
    root = Path(repository.workdir).resolve()
    if root != folder and not _trusted(Path(found), folder):
        # Whoever may write into a parent, such as /tmp, could otherwise put commits in the place of a folder's files.
        raise SourceError(
            f"{folder} lies in a repository of another user ({root}); name {root} itself if you trust it."
        )
    # Inside `.git` itself the folder isn't below the work tree's documents: the repository as a whole is meant.
    inside = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else "."
    return Discovered(root, "" if inside == "." or inside.partition("/")[0] == ".git" else inside)


def _is_anybodys(own: Path, folder: Path) -> bool:
    """True for a bare repository around `folder` in a place such as /tmp, which isn't even looked at."""
    if own == folder or not folder.is_relative_to(own):
        return False
    status = own.stat()
    return bool(status.st_mode & stat.S_IWOTH) or (
        bool(status.st_mode & stat.S_IWGRP) and not is_private(status.st_gid, status.st_uid)
    )


def _trusted(repository: Path, folder: Path) -> bool:
    return repository.stat().st_uid in (0, os.geteuid(), folder.stat().st_uid)


def _open(path: Path) -> pygit2.Repository:
    try:
        return pygit2.Repository(str(path))
    except (pygit2.GitError, KeyError, OSError) as error:
        if "refstorage" in str(error).lower():
            remedy = "run `git refs migrate --ref-format=files` there"
        elif "objectformat" in str(error).lower() or "sha256" in str(error).lower():
            remedy = "use a repository with SHA-1 object names"
        else:
            remedy = "check the path, and run `git fsck` there"
        raise SourceError(f"The repository {path} can't be opened ({error}); {remedy}.") from None


@dataclass(frozen=True, slots=True)
class _Folder:
    """One tree object, read. `size` and `entries` count everything below, for the budget when it is carried over."""

    oid: pygit2.Oid
    own: Mapping[str, SourceFile]
    folders: Mapping[str, _Folder]
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Unread, ...]
    size: int
    entries: int


@dataclass(slots=True)
class _Reading:
    """A folder while its entries are read."""

    own: dict[str, SourceFile] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)
    files: list[SourceFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    entries: int = 0


class GitRepository:
    """A local repository: bare, a work tree, or a linked work tree. Its commits are the source."""

    is_remote = False
    answered = True
    problem = ""

    def __init__(self, path: Path, *, branch: str, sub_path: str, key: str, preferring: str = "") -> None:
        """`preferring` is a reference that stands in for the branch whenever it exists."""
        self.key = key
        self.sub_path = sub_path
        self._path = path
        self._branch = branch
        self._sub_path = sub_path
        self._preferring = preferring
        self._lock = threading.Lock()
        self._repository: pygit2.Repository | None = None
        self._last: SourceTree | None = None
        self._folder: _Folder | None = None
        self._named: tuple[str, str, tuple[Problem, ...]] = (
            "",
            "",
            (),
        )  # onggi.yaml's blob, the id in it, its problems

    def fetch(self) -> bool:
        """Nothing to do: what is committed here is here."""
        return False

    def close(self) -> None:
        """Close the repository's files."""
        with self._lock:
            self._drop()

    def read(self) -> SourceTree:
        """The branch's newest commit. Raises SourceError."""
        with self._lock:
            try:
                return self._read(self._opened())
            except SourceError:
                self._drop()  # the repository may be replaced before the next try
                raise
            except (pygit2.GitError, KeyError, ValueError, OSError) as error:
                self._drop()
                reason = str(error) or type(error).__name__
                raise SourceError(
                    f"The repository {self.key} can't be read ({reason}); run `git fsck` there."
                ) from None

    def shared(self, commit: str) -> str:
        """The same: what is committed here is here."""
        return commit

    def builds_on(self, since: str, commit: str) -> bool:
        """A commit that isn't here any more is nobody's ancestor. Raises SourceError."""
        with self._lock:
            repository = self._opened()
            try:
                return since == commit or bool(repository.descendant_of(commit, since))
            except (pygit2.GitError, KeyError, ValueError):
                return False

    def last_good(self) -> None:
        """Nothing is kept: nothing guards what is read."""

    def watch_paths(self) -> tuple[Path, ...]:
        """HEAD, the references and the packed ones; of a linked work tree its own HEAD and the shared references."""
        try:
            own = Path(_open(self._path).path)
        except SourceError:
            return (self._path / ".git", self._path / "HEAD")  # gone at the moment: these come back first
        common = _shared(own)
        return tuple(dict.fromkeys((own / "HEAD", common / "refs", common / "packed-refs", common / "reftable")))

    def head(self) -> str:
        """The commit that `read` would read, in hex; empty when there is none."""
        with self._lock:
            try:
                return str(self._head(self._opened())[1].id)
            except (SourceError, pygit2.GitError, KeyError, OSError):
                self._drop()
                return ""

    def branch_head(self) -> tuple[str, str]:
        """The name of the branch and its own commit, whatever is preferred to it; both empty when there is none."""
        with self._lock:
            try:
                branch, commit = self._branch_head(self._opened())
                return branch, str(commit.id)
            except (SourceError, pygit2.GitError, KeyError, OSError):
                self._drop()
                return "", ""

    def objects(self) -> Path:
        """The folder with the repository's objects; a linked work tree shares its repository's. Raises SourceError."""
        with self._lock:
            return _shared(Path(self._opened().path)) / "objects"

    def folders(self) -> tuple[Path, Path]:
        """The repository's own folder (a linked work tree's is beside it) and the shared one. Raises SourceError."""
        with self._lock:
            own = Path(self._opened().path)
            return own, _shared(own)

    def commits_after(self, since: str, head: str) -> tuple[str, ...] | None:
        """The commits that `head` has and `since` hasn't, oldest first; None when `head` doesn't build on `since`.

        Both are full ids. A commit that isn't here any more is nobody's ancestor. Raises SourceError.
        """
        with self._lock:
            repository = self._opened()
            try:
                if since != head and not repository.descendant_of(head, since):
                    return None
                walk = repository.walk(head, SortMode.TOPOLOGICAL | SortMode.REVERSE)
                walk.hide(since)
                return tuple(str(commit.id) for commit in walk)
            except (pygit2.GitError, KeyError, ValueError):
                return None

    def _opened(self) -> pygit2.Repository:
        if not self._path.is_dir():
            raise SourceError(
                f"The repository {self.key} isn't at {self._path} any more; put it back or correct the path."
            )
        if self._repository is None:
            self._repository = _open(self._path)
        return self._repository

    def _drop(self) -> None:
        if self._repository is not None:
            self._repository.free()
        self._repository = None

    def _read(self, repository: pygit2.Repository) -> SourceTree:
        branch, commit = self._head(repository)
        revision = Revision(branch, "sha1", str(commit.id))
        if self._last is not None and self._last.revision == revision:
            return self._last
        root = commit.tree
        repository_id, problems = self._identity(repository, root)
        walk = _Walk(repository, self.key)
        prefix = f"{self._sub_path}/" if self._sub_path else ""
        folder = walk.folder(self._sub_tree(root, revision), prefix, self._folder)
        tree = SourceTree(
            revision,
            folder.files,
            problems + folder.problems,
            repository_id,
            branch=branch,
            path=self._sub_path,
            unread=folder.unread,
        )
        self._folder, self._last = folder, tree
        return tree

    def _head(self, repository: pygit2.Repository) -> tuple[str, pygit2.Commit]:
        """The name of the branch that is read (`HEAD` when detached) and its commit."""
        branch, commit = self._branch_head(repository)
        if self._preferring and (reference := repository.references.get(self._preferring)) is not None:
            return branch, reference.peel(pygit2.Commit)
        return branch, commit

    def _branch_head(self, repository: pygit2.Repository) -> tuple[str, pygit2.Commit]:
        if self._branch:
            reference = repository.references.get(f"refs/heads/{self._branch}")
            if reference is None:
                raise SourceError(f"{self.key} has no branch {self._branch!r}; {_branches(repository)}.")
            return self._branch, reference.peel(pygit2.Commit)
        if repository.head_is_unborn:
            name = str(repository.references["HEAD"].target).removeprefix("refs/heads/")
            raise SourceError(f"{self.key} has no commit on its branch {name!r} yet; {_branches(repository)}.")
        if repository.head_is_detached:
            return "HEAD", repository.head.peel(pygit2.Commit)
        return repository.head.shorthand, repository.head.peel(pygit2.Commit)

    def _sub_tree(self, root: pygit2.Tree, revision: Revision) -> pygit2.Tree:
        """The tree at the chosen sub-path, step by step, so that a link on the way is seen as one."""
        tree = root
        for part in filter(None, self._sub_path.split("/")):
            if part not in tree:
                raise SourceError(
                    f"{self.key} has no folder {self._sub_path!r} in {revision}; commit it, or choose one with --path."
                )
            entry = tree[part]
            if not isinstance(entry, pygit2.Tree):
                raise SourceError(f"{self._sub_path!r} in {self.key} isn't a folder; choose one with --path.")
            tree = entry
        return tree

    def _identity(self, repository: pygit2.Repository, root: pygit2.Tree) -> tuple[str, tuple[Problem, ...]]:
        """The repository id that onggi.yaml at the root declares, and what is wrong with that file."""
        name = files.REPOSITORY_FILE
        if name not in root:
            return "", ()
        entry = root[name]
        if entry.filemode == FileMode.LINK:
            return "", (files.symlink_problem(name),)
        if entry.filemode not in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE):
            return "", (files.special_problem(name),)
        blob = str(entry.id)
        if self._named[0] != blob:
            _, size = repository.odb.read_header(entry.id)
            if size > MAX_FILE_BYTES:
                self._named = (blob, "", (files.size_problem(name, size),))
            else:
                self._named = (blob, *declared_repository_id(name, repository[entry.id].read_raw()))
        return self._named[1:]


def _shared(own: Path) -> Path:
    """The repository's own folder, where a linked work tree has one beside it."""
    pointer = own / "commondir"
    return (own / pointer.read_text().strip()).resolve() if pointer.is_file() else own


def _branches(repository: pygit2.Repository) -> str:
    return branches_sentence(repository.branches.local)


def branches_sentence(names: Iterable[str]) -> str:
    """The remedy when a branch has nothing: which ones have, or to commit when none has."""
    known = sorted(files.shown(name) for name in names)
    if not known:
        return "commit the documents there first"
    shown = ", ".join(known[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
    return f"commit there, or choose one of its branches with --branch: {shown}"


class _Walk:
    """One reading of a tree."""

    def __init__(self, repository: pygit2.Repository, source: str) -> None:
        self._repository = repository
        self._odb = repository.odb
        self._budget = Budget(source)

    def folder(self, tree: pygit2.Tree, prefix: str, previous: _Folder | None, depth: int = 0) -> _Folder:
        """Everything in and below `tree`, whose files' paths start with `prefix`."""
        if previous is not None and previous.oid == tree.id:
            self._budget.spend(files=len(previous.files), size=previous.size, entries=previous.entries)
            return previous
        self._budget.descend(depth)
        reading = _Reading()
        for entry in tree:
            self._entry(entry, prefix, previous, depth, reading)
        below = reading.folders.values()
        return _Folder(
            oid=tree.id,
            own=reading.own,
            folders=reading.folders,
            files=tuple(reading.files),
            problems=tuple(reading.problems),
            unread=tuple(reading.unread[: files.MAX_UNREAD]),
            size=sum(len(file.content) for file in reading.own.values()) + sum(folder.size for folder in below),
            entries=reading.entries + sum(folder.entries for folder in below),
        )

    def _entry(
        self, entry: pygit2.Object, prefix: str, previous: _Folder | None, depth: int, reading: _Reading
    ) -> None:
        reading.entries += 1
        self._budget.spend(entries=1)
        name, mode = files.decode_name(entry.raw_name or b""), entry.filemode
        is_file = mode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
        if files.is_hidden(name) or (is_file and not files.is_document_name(name)):
            if (is_file or mode == FileMode.TREE) and (not files.is_hidden(name) or files.is_put_aside(name)):
                reading.unread.append(Unread(files.shown(prefix + name) + ("" if is_file else "/"), str(entry.id)))
            return
        if not prefix and name == files.REPOSITORY_FILE:
            return
        if (problem := files.name_problem(prefix, name)) is not None:
            reading.problems.append(problem)
        elif is_file:
            self._file(entry, prefix + name, name, previous, reading)
        elif mode == FileMode.TREE:
            _, size = self._odb.read_header(entry.id)
            if size > _MAX_TREE_BYTES:
                reading.problems.append(files.special_problem(prefix + name))
                return
            sub_tree = self._repository[entry.id]
            assert isinstance(sub_tree, pygit2.Tree)  # noqa: S101 - libgit2 has read it as what its entry says
            before = previous.folders.get(name) if previous is not None else None
            found = reading.folders[name] = self.folder(sub_tree, f"{prefix}{name}/", before, depth + 1)
            reading.files.extend(found.files)
            reading.problems.extend(found.problems)
            reading.unread.extend(found.unread)
        elif mode == FileMode.LINK:
            reading.problems.append(files.symlink_problem(prefix + name))
        else:
            reading.problems.append(files.submodule_problem(prefix + name))

    def _file(self, entry: pygit2.Object, path: str, name: str, previous: _Folder | None, reading: _Reading) -> None:
        blob = str(entry.id)
        file = previous.own.get(name) if previous is not None else None
        if file is None or file.blob != blob:
            # The header alone tells the size: a file that is too large is never read into memory.
            kind, size = self._odb.read_header(entry.id)
            if size > MAX_FILE_BYTES or kind != ObjectType.BLOB:
                reading.problems.append(files.size_problem(path, size))
                return
            self._budget.spend(files=1, size=size)
            file = SourceFile(path, blob, self._repository[entry.id].read_raw())
        else:
            self._budget.spend(files=1, size=len(file.content))
        reading.own[name] = file
        reading.files.append(file)
