"""YAML bytes → documents. Never raises: whatever is wrong becomes a Problem with its place, and hides nothing else.

This stage guarantees that a Document has a known kind and a safe name, so that its reference can be trusted. Whether
the rest of it is right is said by `validate`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

from specs.lfs import is_lfs_pointer
from specs.name import name_problem
from specs.nearest import nearest
from specs.plain import DocumentData, NewDocument, Spec
from specs.problem import Problem
from specs.reference import Ref, holder_of
from specs.registry import Kind, kind_named, kinds
from specs.yaml_stream import Piece, YamlMistakeError, compose, pieces
from specs.yaml_values import Reading, first_line_of_block, places, read

API_VERSION: Final = "onggi/v1"
MAX_FILE_BYTES: Final = 1 << 20
MAX_DOCUMENTS: Final = 1000  # in one file
MAX_PROBLEMS: Final = 100  # told of one document

# C0 and C1 controls but tab and line ends, the line ends that only some tools count, and what isn't a character at all.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|\r(?!\n)")

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, eq=False)
class Document:
    """One document of a known kind with a safe name. `line` counts from 1, `index` from 0 within the file.

    `labels`, `annotations` and `spec` are as written, and empty where they aren't mappings: only a document that
    `validate` finds nothing wrong with has the shape of its model.
    """

    kind: str
    name: str
    uid: str  # empty when there is none
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Spec
    path: str
    line: int
    index: int
    ref: Ref
    body: DocumentData = field(repr=False)  # the whole document, for the schema
    piece: Piece = field(repr=False)  # its text: places are found again only when somebody asks

    def locate(self, pointer: str) -> tuple[int, int]:
        """(line, column), from 1, of a JSON pointer into the document; of its nearest parent for what isn't written."""
        return _located(self.piece, pointer)

    def locate_line(self, pointer: str, line: int) -> tuple[int, int]:
        """The same of a line, from 1, of a text: in a block of it each has a line of its own, else it begins there."""
        root = compose(self.piece.text)
        first = None if root is None else first_line_of_block(root, pointer)
        return self.locate(pointer) if first is None else (self.piece.first_line + first + line, 1)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one file holds. A document with a mistake in its YAML, its kind or its name is only among the problems."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()


def parse(path: str, content: bytes) -> ParsedFile:
    """Read the documents of one file. `path` is only for messages."""
    text = _text(path, content)
    if isinstance(text, Problem):
        return ParsedFile((), (text,))
    documents: list[Document] = []
    problems: list[Problem] = []
    index = 0
    for count, piece in enumerate(pieces(text)):
        if count == MAX_DOCUMENTS:
            message = f"The file has more than {MAX_DOCUMENTS} documents; split it into several files."
            problems.append(Problem(path, piece.first_line + 1, 1, message))
            break
        try:
            root = compose(piece.text)
        except YamlMistakeError as mistake:
            problems.append(Problem(path, piece.first_line + mistake.line + 1, mistake.column + 1, mistake.message))
            index += 1
            continue
        if root is None:
            continue
        reading = read(root, piece.first_line)
        if reading.value is None and not reading.findings:
            continue
        line = piece.first_line + root.start_mark.line + 1
        found = _document(reading, path, line, root.start_mark.column + 1, index, piece)
        if isinstance(found, Document):
            documents.append(found)
        else:
            problems.extend(found)
        index += 1
    return ParsedFile(tuple(documents), tuple(problems))


def _text(path: str, content: bytes) -> str | Problem:
    """The file's text, or why it can't be read."""
    if len(content) > MAX_FILE_BYTES:
        size = f"The file has {len(content)} bytes, more than the {MAX_FILE_BYTES} that are read"
        return Problem(path, 0, 0, f"{size}; split it into several files.")
    if is_lfs_pointer(content):
        what = "The file is a Git LFS pointer: its documents aren't in the repository, where they are read from"
        return Problem(path, 1, 1, f"{what}; keep it out of LFS (`git lfs untrack`, then `git add --renormalize`).")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(path, 1, 1, "The file is UTF-16; save it as UTF-8.")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = _place(before.removeprefix("\ufeff"))
        return Problem(
            path, line, column, f"The byte 0x{content[error.start]:02x} isn't UTF-8; save the file as UTF-8."
        )
    if (unreadable := _UNREADABLE.search(text)) is None:
        return text
    line, column = _place(text[: unreadable.start()])
    if unreadable[0] == "\r":
        return Problem(
            path, line, column, "A line ends with a carriage return alone; save the file with ordinary line ends."
        )
    character = "NUL" if unreadable[0] == "\0" else f"U+{ord(unreadable[0]):04X}"
    return Problem(path, line, column, f"The control character {character} can't be in a document; remove it.")


def _place(before: str) -> tuple[int, int]:
    """(line, column), from 1, of what follows `before`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _document(
    reading: Reading, path: str, line: int, column: int, index: int, piece: Piece
) -> Document | list[Problem]:
    """The document, or everything that is wrong with one that can't be used at all."""
    body = reading.value
    if not isinstance(body, dict):
        message = f"A document is a mapping that begins with `apiVersion: {API_VERSION}`; this is something else."
        return [Problem(path, line, column, message)]
    problems = [Problem(path, f.line, f.column, f.message, f.pointer) for f in reading.findings]
    kind = _kind(body)
    if isinstance(kind, str):
        pointer = "/kind" if "kind" in body else ""
        return [*problems, Problem(path, *_located(piece, pointer), kind, pointer)]
    identity = dict(_identity_errors(kind, body))
    ref = None if identity else kind.ref(body["metadata"]["name"], _mapping(body.get("spec")))
    if ref is not None and not problems:
        return _finished(kind, ref, body, path, line, index, piece)
    from specs.schema_errors import schema_errors

    # Nothing more is done with this document, so everything else that is wrong with it is told now.
    told = {problem.pointer for problem in problems}
    others = (error for error in schema_errors(kind, body) if error[0] not in identity)
    for pointer, sentence in islice(chain(identity.items(), others), MAX_PROBLEMS):
        if pointer in told:
            continue
        problems.append(Problem(path, *_located(piece, pointer), sentence, pointer))
    return [replace(problem, ref=ref) for problem in sorted(problems, key=lambda p: (p.line, p.column))]


def _finished(kind: Kind, ref: Ref, body: NewDocument, path: str, line: int, index: int, piece: Piece) -> Document:
    metadata = _mapping(body.get("metadata"))
    uid = metadata.get("uid")
    return Document(
        kind=kind.name,
        name=str(metadata["name"]),
        uid=uid if isinstance(uid, str) else "",
        labels=_mapping(metadata.get("labels")),
        annotations=_mapping(metadata.get("annotations")),
        spec=_mapping(body.get("spec")),
        path=path,
        line=line,
        index=index,
        ref=ref,
        body=body,
        piece=piece,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(body: DocumentData) -> Kind | str:
    """The document's kind; else a sentence."""
    name = body.get("kind")
    found = kind_named(name) if isinstance(name, str) else None
    if found is not None:
        return found
    known = kinds()
    choice = f"write one of {', '.join(known)}"
    if "kind" not in body:
        return f"This document has no `kind`; {choice}."
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        return f"This isn't a kind; {choice}."
    by_lower = {word.lower(): kind.name for kind in known.values() for word in (kind.name, kind.plural, *kind.aliases)}
    close = nearest(name.lower(), by_lower)
    meant = f"did you mean {by_lower[close[0]]}? Otherwise " if close else ""
    return f"There is no kind `{name}`; {meant}{choice}."


def _identity_errors(kind: Kind, body: DocumentData) -> Iterator[tuple[str, str]]:
    """(pointer, sentence) of what keeps a document from having a reference: its name, and a volume's pool with it."""
    metadata, spec = _mapping(body.get("metadata")), _mapping(body.get("spec"))
    parts = [("/metadata", "name", metadata)]
    if within := holder_of(kind.name):
        parts.append(("/spec", within, spec))
    for pointer, key, holder in parts:
        value = holder.get(key)
        if value is None:
            yield pointer, f"A {kind.name} needs `{pointer[1:]}.{key}`; add it."
        elif not isinstance(value, str):
            yield f"{pointer}/{key}", f"`{key}` has to be text; put it in quotes."
        elif sentence := name_problem(value):
            yield f"{pointer}/{key}", sentence


@lru_cache(maxsize=8)  # problems are located one after the other, document by document
def _places(text: str) -> Mapping[str, tuple[int, int]]:
    root = compose(text)
    return places(root) if root is not None else {}


def _located(piece: Piece, pointer: str) -> tuple[int, int]:
    """(line, column) in the file, from 1, of a pointer or its nearest parent that is written."""
    where = _places(piece.text)
    while pointer and pointer not in where:
        pointer = pointer.rpartition("/")[0]
    line, column = where.get(pointer, (0, 0))
    return piece.first_line + line + 1, column + 1
