"""Says everything that is wrong with documents: one by itself, and several together. Offline: no host is asked.

A document is checked against its kind's JSON Schema, then against the kind's own rules on whatever the schema found
nothing wrong with, so that all mistakes are told at once. What depends on templates having been expanded is checked
where that happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from specs import canonical
from specs.among import Placed, places, several
from specs.document import MAX_PROBLEMS, Document
from specs.plain import Spec
from specs.problem import Problem
from specs.reference import Ref
from specs.registry import Kind, kinds
from specs.schema_errors import schema_errors


def validate(document: Document) -> list[Problem]:
    """Every mistake in one document, each at its place; at most MAX_PROBLEMS. Empty for a good one."""
    kind = kinds()[document.kind]
    found = list(islice(schema_errors(kind, document.body), MAX_PROBLEMS))
    spec = _sound_part(document.spec, [pointer for pointer, _ in found])
    found += [(f"/spec{pointer}", sentence) for pointer, sentence in kind.check(document.name, spec)]
    problems = [_problem(document, pointer, sentence) for pointer, sentence in found[:MAX_PROBLEMS]]
    if kind.has_xml and isinstance(text := spec.get("xml"), str):
        problems += _overlay_problems(document, kind, spec, text)
    return sorted(problems[:MAX_PROBLEMS], key=lambda problem: (problem.line, problem.column))


def _overlay_problems(document: Document, kind: Kind, spec: Spec, text: str) -> Iterator[Problem]:
    """What is wrong with XML in a document, at its line. Only such a document has to load what reads XML."""
    from specs.overlay.checking import mistakes_in

    for line, sentence in mistakes_in(kind.name, document.name, spec, text):
        place = document.locate_line("/spec/xml", line)
        yield Problem(document.path, *place, sentence, "/spec/xml", document.ref)


def validate_set(documents: Iterable[Document], broken: Collection[Ref] = ()) -> list[Problem]:
    """What is wrong with documents that each are good: two of one name, templates that lead nowhere, shared disks.

    Pools, volumes and networks that aren't among them may be on the host already, and are no mistake. What is `broken`
    is there, too, with a mistake of its own.
    """
    everything = list(documents)
    return [*_same_reference(everything), *_same_uid(everything), *_of_each_kind(everything, broken)]


def _problem(document: Placed, pointer: str, sentence: str) -> Problem:
    return Problem(document.path, *document.locate(pointer), sentence, pointer, document.ref)


def _sound_part(spec: Spec, broken: list[str]) -> Spec:
    """The spec without the fields that the schema refused: the rules may rely on the shape of what they get."""
    if not broken:
        return spec
    fields = {pointer.split("/")[2] for pointer in broken if pointer.startswith("/spec/")}
    return {key: value for key, value in spec.items() if key not in fields and value is not None}


def _same_reference(documents: list[Document]) -> Iterator[Problem]:
    by_ref: dict[Ref, list[Document]] = defaultdict(list)
    for document in documents:
        by_ref[document.ref].append(document)
    for ref, same in by_ref.items():
        for document in same if len(same) > 1 else ():
            sentence = f"{ref} is declared more than once, also at {places(same, document)}; rename or remove one."
            yield _problem(document, "/metadata/name", sentence)


def _same_uid(documents: list[Document]) -> Iterator[Problem]:
    by_uid: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document.uid:
            by_uid[canonical.uid(document.uid)].append(document)
    for same in by_uid.values():
        for document in same if several(same) else ():
            sentence = f"This uid is used more than once, also at {places(same, document)}; give each document its own."
            yield _problem(document, "/metadata/uid", sentence)


def _of_each_kind(documents: list[Document], broken: Collection[Ref]) -> Iterator[Problem]:
    """What the kinds' own rules say of several documents of theirs."""
    declared: dict[str, list[tuple[Placed, Spec]]] = defaultdict(list)
    for document in documents:
        declared[document.kind].append((document, document.spec))
    known = {*broken, *(document.ref for document in documents)}
    for kind, of_kind in sorted(declared.items()):
        for clash in kinds()[kind].check_among(of_kind, known):
            yield _problem(*clash)
