"""One file of documents, changed document by document: what isn't named stays byte for byte, whatever its encoding.

Every result is read back with the parser that reads all documents, and has to say exactly what was wanted: the change
is made within the text, else the one document is written anew, else nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.errors import InvalidDocument
from reconciler.writing.pairing import same
from reconciler.writing.splices import CannotEditError, Splices
from reconciler.writing.yaml_edit import edited, style_of
from reconciler.writing.yaml_text import Style, block
from specs.document import Document, ParsedFile, parse
from specs.plain import DocumentData
from specs.problem import Problem
from specs.reference import Ref
from specs.schema_order import body_in_order
from specs.yaml_stream import Piece, YamlMistakeError, compose, pieces

_BOM: Final = "\ufeff"


def new_file(path: str, ref: Ref, body: DocumentData) -> bytes:
    """A file with this document alone. Raises InvalidDocument when no text can say it."""
    for style in (Style(), Style(literal=False)):
        content = _encoded("".join(f"{line}\n" for line in block(body_in_order(ref.kind, body), style)), path, ref)
        if _says(parse(path, content), [body], 0):
            return content
    raise InvalidDocument(_unsayable(path, ref, content))


def with_document(path: str, content: bytes, ref: Ref, body: DocumentData) -> bytes:
    """`content` with `body` in the place of the document `ref`. Raises InvalidDocument when no text can say it."""
    before = parse(path, content)
    index = next(i for i, document in enumerate(before.documents) if document.ref == ref)
    document = before.documents[index]
    if same(document.body, body):
        return content
    wanted = [body if i == index else other.body for i, other in enumerate(before.documents)]
    ordered = body_in_order(ref.kind, body)
    changed = content
    for text in _versions(document, ordered):
        changed = _encoded(_replaced(content, document.piece, text), path, ref)
        if _says(parse(path, changed), wanted, len(before.problems)):
            return changed
    raise InvalidDocument(_unsayable(path, ref, changed))


def without_document(path: str, content: bytes, ref: Ref) -> bytes | None:
    """`content` without the document `ref`; None when nothing but comments would be left."""
    before = parse(path, content)
    document = next(document for document in before.documents if document.ref == ref)
    wanted = [other.body for other in before.documents if other is not document]
    if not wanted and not before.problems:
        return None
    for text in ("", "---\n"):  # with a `---` where the one before ends with `...`
        changed = _encoded(_replaced(content, document.piece, text), path, ref)
        if _says(parse(path, changed), wanted, len(before.problems)):
            return changed
    message = f"The document can't be taken out of {path} without changing its neighbours; remove it by hand."
    raise InvalidDocument([Problem(path, document.line, 1, message, "", ref)])


def _versions(document: Document, body: DocumentData) -> Iterator[str]:
    """The texts to try in the place of a document's, the one that changes least first. Line ends are plain."""
    text = document.piece.text.replace("\r\n", "\n")
    ends = text.endswith("\n")
    text = text if ends else f"{text}\n"
    try:
        root = compose(text)
    except YamlMistakeError:
        root = None
    if root is None:
        return
    style = style_of(root)
    try:
        result = edited(text, root, document.body, body, style)
        yield result if ends else result.removesuffix("\n")
    except CannotEditError:
        pass
    splices = Splices(text)
    start, end = root.start_mark.index, splices.content_end(root)
    head = text[:start].rstrip(" ")
    if head and not head.endswith("\n"):
        head += "\n"  # it began behind its `---`
    tail = text[splices.line_end(end) :]
    for each in (style, Style(style.mapping, style.sequence, literal=False), Style(literal=False)):
        yield head + "".join(f"{line}\n" for line in block(body, each)) + tail


def _replaced(content: bytes, piece: Piece, text: str) -> str:
    """The whole text with another one in the place of a piece, with the byte order mark and line ends as before."""
    whole = content.decode("utf-8")
    mark = _BOM if whole.startswith(_BOM) else ""
    if "\r\n" in whole:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    parts = [text if each.first_line == piece.first_line else each.text for each in pieces(whole.removeprefix(_BOM))]
    return mark + "".join(parts)


def _encoded(text: str, path: str, ref: Ref) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        message = "A text holds half a character, which no file can; correct it."
        raise InvalidDocument([Problem(path, 0, 0, message, "", ref)]) from None


def _says(parsed: ParsedFile, wanted: Sequence[DocumentData], problems: int) -> bool:
    return (
        len(parsed.problems) == problems
        and len(parsed.documents) == len(wanted)
        and all(same(document.body, body) for document, body in zip(parsed.documents, wanted, strict=True))
    )


def _unsayable(path: str, ref: Ref, content: bytes) -> list[Problem]:
    """What the parser says of the text that came out best; it is never only that two texts differ."""
    found = [problem for problem in parse(path, content).problems if problem.ref in (ref, None)]
    message = "This can't be written as a document that says the same again; correct the values."
    return found or [Problem(path, 0, 0, message, "", ref)]
