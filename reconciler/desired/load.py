"""From files to documents: parsed, checked, what is wrong told with its place. A bad document holds up no other.

Every file's outcome is remembered by its content, so that only what changed is parsed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.bulkhead import Failure, contained
from reconciler.source.tree import SourceFile, SourceTree
from specs.document import Document, parse
from specs.problem import Problem
from specs.reference import Ref
from specs.validate import validate, validate_set


@dataclass(frozen=True, slots=True, eq=False)
class LoadedDocuments:
    """The good documents of a revision, and what is wrong with the others.

    `held` are documents that were recognised but can't be used; `held_paths` are files (or links in
    the place of folders) whose documents aren't known at all. `emptied` are files in which there is none.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()
    held: frozenset[Ref] = frozenset()
    held_paths: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _File:
    """What one file holds."""

    source: SourceFile
    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    held: frozenset[Ref]
    unknown: bool  # something in it couldn't be recognised


class Loader:
    """Loads one source again and again. The same documents are handed out while their files are the same."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._tree: SourceTree | None = None
        self._loaded = LoadedDocuments(())

    def load(self, tree: SourceTree) -> LoadedDocuments:
        """Every document of `tree`. Never raises for what is written in one."""
        if self._tree is not None and tree.files is self._tree.files and tree.problems is self._tree.problems:
            return self._loaded
        before, self._files = self._files, {}
        for source in tree.files:
            known = before.get(source.path)
            same = known is not None and (known.source is source or known.source.blob == source.blob)
            self._files[source.path] = known if known is not None and same else _load(source)
        self._tree, self._loaded = tree, _gather(self._files.values(), tree)
        return self._loaded


def _load(source: SourceFile) -> _File:
    found = contained("reading", source.path, source.blob, _read, source)
    if isinstance(found, Failure):
        return _File(source, (), (Problem(source.path, 1, 1, f"{found.message}."),), frozenset(), unknown=True)
    return found


def _read(source: SourceFile) -> _File:
    parsed = parse(source.path, source.content)
    good: list[Document] = []
    problems = list(parsed.problems)
    held = {problem.ref for problem in parsed.problems if problem.ref is not None}
    for document in parsed.documents:
        if found := _mistakes(document):
            problems.extend(found)
            held.add(document.ref)
        else:
            good.append(document)
    unknown = any(problem.ref is None for problem in parsed.problems)
    return _File(source, tuple(good), tuple(problems), frozenset(held), unknown)


def _mistakes(document: Document) -> list[Problem]:
    found = contained("checking", document.ref, document.piece.text, validate, document)
    if isinstance(found, Failure):
        return [Problem(document.path, document.line, 1, f"{found.message}.", "", document.ref)]
    return found


def _gather(loaded: Iterable[_File], tree: SourceTree) -> LoadedDocuments:
    """All files together. What two documents claim (a name, a uid, a disk) is given to neither: whose is it?"""
    files = list(loaded)
    problems = [problem for file in files for problem in file.problems]
    held = {ref for file in files for ref in file.held}
    documents: list[Document] = []
    for file in files:
        for document in file.documents:
            if document.ref in held:
                problems.append(_twice(document))
            else:
                documents.append(document)
    # What is there but broken isn't missing: the resolver says so of whatever names it.
    for problem in validate_set(documents, broken=frozenset(held)):
        problems.append(problem)
        if problem.ref is not None:
            held.add(problem.ref)
    unknown = {file.source.path for file in files if file.unknown} | {problem.path for problem in tree.problems}
    good = tuple(document for document in documents if document.ref not in held)
    emptied = frozenset(file.source.path for file in files if not (file.documents or file.problems))
    return LoadedDocuments(good, tuple(problems), frozenset(held), frozenset(unknown), emptied)


def _twice(document: Document) -> Problem:
    message = f"{document.ref} is declared a second time, in a document that has a mistake; remove one of the two."
    return Problem(document.path, *document.locate("/metadata/name"), message, "/metadata/name", document.ref)
