"""From changed documents to changed files, in memory: which files, their new bytes, and whether the result is sound.

Pure but for what it is told about the tip. The checks are those of every reading: whatever would be held then is
refused now, with every mistake.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from reconciler.desired.load import LoadedDocuments, Loader
from reconciler.errors import Conflict, InvalidDocument
from reconciler.source.tree import SourceFile, SourceTree
from reconciler.writing.changes import DocumentChange, Put, Remove
from reconciler.writing.file_text import new_file, with_document, without_document
from reconciler.writing.placing import path_for
from specs.document import MAX_FILE_BYTES, Document, parse
from specs.plain import NewDocument
from specs.problem import Problem
from specs.reference import Ref, holder_of

Files = Mapping[str, bytes | None]
"""What files are to hold; None for one that is to go."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The revision that is being changed. `taken` says whether anything is at a path or in the way of it (also what no
    reading sees); `name` gives a content's name as the source would."""

    tree: SourceTree
    sub_path: str
    taken: Callable[[str], bool]
    name: Callable[[bytes], str]


class TipDocuments:
    """The documents of a tip."""

    def __init__(self, tip: Tip, loaded: LoadedDocuments) -> None:
        self.tip = tip
        self.loaded = loaded

    def get(self, ref: Ref) -> NewDocument | None:
        """A copy of the whole document; None when there is none that could be read."""
        found = self.all(ref)
        return copy.deepcopy(dict(found[0].body)) if found else None

    def path(self, ref: Ref) -> str | None:
        """The file that holds it."""
        found = self.all(ref)
        if found:
            return found[0].path
        return next((problem.path for problem in self.loaded.problems if problem.ref == ref), None)

    def refs(self) -> frozenset[Ref]:
        """Every document that is declared."""
        return self.loaded.held | self._good.keys()

    def all(self, ref: Ref) -> list[Document]:
        """The document; several when it is declared several times; none when it isn't, or can't be read at all."""
        if (document := self._good.get(ref)) is not None:
            return [document]
        if ref not in self.loaded.held:
            return []
        paths = {problem.path for problem in self.loaded.problems if problem.ref == ref}
        held = [parse(file.path, file.content).documents for file in self.tip.tree.files if file.path in paths]
        return [document for documents in held for document in documents if document.ref == ref]

    def paths_of(self, kind: str) -> set[str]:
        """The files that hold documents of a kind."""
        return {document.path for document in self.loaded.documents if document.kind == kind}

    @cached_property
    def _good(self) -> Mapping[Ref, Document]:
        return {document.ref: document for document in self.loaded.documents}


def rewrite(documents: TipDocuments, changes: Sequence[DocumentChange], loader: Loader) -> Files:
    """The files that differ when `changes` are made. Raises InvalidDocument for what can't be a document, or makes
    others unsound, and Conflict for a document whose file doesn't let it be changed."""
    tip = documents.tip
    before = {file.path: file.content for file in tip.tree.files}
    files: dict[str, bytes | None] = {}
    for old, change in _renames(documents, changes):
        if isinstance(change, Put):
            _check_identity(change)
        found = documents.all(old)
        if not found:
            _refuse_unreadable(documents, old)
            if isinstance(change, Put):
                path = _new_path(documents, change.ref, files)
                files[path] = new_file(path, change.ref, change.document)
            continue
        document = _only(found)
        path = document.path
        content = files.get(path, before[path])
        if content is None:
            raise Conflict(f"The changes take {old} away and change it; ask for one of the two.")
        if isinstance(change, Put):
            files[path] = with_document(path, content, old, change.document)
        else:
            files[path] = without_document(path, content, old)
    different = {path: content for path, content in files.items() if before.get(path) != content}
    _check_sound(documents, different, changes, loader)
    return different


def after(tip: Tip, files: Files) -> SourceTree:
    """The tip's tree with other files, under the tip's own revision: it isn't a commit yet."""
    kept = {file.path: file for file in tip.tree.files}
    for path, content in files.items():
        if content is None:
            del kept[path]
        else:
            kept[path] = SourceFile(path, tip.name(content), content)
    # In the order in which trees are read, so that nothing depends on who read them.
    return replace(tip.tree, files=tuple(kept[path] for path in sorted(kept)))


def _renames(documents: TipDocuments, changes: Sequence[DocumentChange]) -> list[tuple[Ref, DocumentChange]]:
    """The changes, each with the document that it begins at: a renamed one's comments come along. One is renamed that a
    change says it was, and one that goes while one with its uid comes."""
    uids: dict[tuple[str, str], Ref] = {}
    for change in changes:
        if isinstance(change, Remove) and (found := documents.all(change.ref)) and found[0].uid:
            uids[change.ref.kind, found[0].uid] = change.ref
    result: list[tuple[Ref, DocumentChange]] = []
    renamed: set[Ref] = set()
    for change in changes:
        old = change.ref
        if isinstance(change, Put) and not documents.all(change.ref):
            metadata = change.document.get("metadata")
            uid = metadata.get("uid") if isinstance(metadata, Mapping) else None
            if change.was is not None and documents.all(change.was):
                old = change.was
            elif isinstance(uid, str):
                old = uids.pop((change.ref.kind, uid), old)
            if old != change.ref:
                renamed.add(old)
        result.append((old, change))
    return [(old, change) for old, change in result if not (isinstance(change, Remove) and old in renamed)]


def _check_identity(change: Put) -> None:
    """The document has to be the one that its reference says."""
    body = change.document
    metadata, spec = body.get("metadata"), body.get("spec")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    within = holder_of(change.ref.kind)
    holder = spec.get(within) if within and isinstance(spec, Mapping) else None
    if body.get("kind") != change.ref.kind or name != change.ref.short_name or (within and holder != change.ref.pool):
        message = f"The document isn't that of {change.ref}; correct its kind and its name."
        raise InvalidDocument([Problem("", 0, 0, message, "/metadata/name", change.ref)])


def _only(found: Sequence[Document]) -> Document:
    if len(found) > 1:
        places = ", ".join(f"{document.path}:{document.line}" for document in found)
        raise Conflict(f"{found[0].ref} is declared more than once, at {places}; remove all but one in the repository.")
    return found[0]


def _refuse_unreadable(documents: TipDocuments, ref: Ref) -> None:
    if ref in documents.loaded.held:
        raise Conflict(
            f"{ref} is in {documents.path(ref)}, which has a mistake and can't be edited; correct it in the repository."
        )


def _new_path(documents: TipDocuments, ref: Ref, files: Files) -> str:
    tip = documents.tip

    def taken(path: str) -> bool:
        return path in files or tip.taken(path)

    return path_for(ref, tip.sub_path, documents.paths_of(ref.kind), taken)


def _check_sound(documents: TipDocuments, files: Files, changes: Sequence[DocumentChange], loader: Loader) -> None:
    """Raises InvalidDocument for every mistake that is the change's: in what was put, or new in another document."""
    for path, content in files.items():
        if content is not None and len(content) > MAX_FILE_BYTES:
            raise Conflict(f"{path} would be larger than {MAX_FILE_BYTES} bytes; split it into several files.")
    loaded = loader.load(after(documents.tip, files))
    put = {change.ref for change in changes if isinstance(change, Put)}
    known = {(problem.ref, problem.pointer) for problem in documents.loaded.problems}
    found = [
        problem
        for problem in loaded.problems
        if problem.ref in put or (problem.ref is not None and (problem.ref, problem.pointer) not in known)
    ]
    if found:
        raise InvalidDocument(sorted(found, key=lambda problem: problem.ref not in put))
