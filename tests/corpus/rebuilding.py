"""What becomes of one object of the corpus when its host is wiped and made again from what was exported of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from reconciler.errors import OnggiError
from reconciler.exporting.export import Export
from reconciler.line.line import Line
from reconciler.planning.operations import Undefine
from specs.binding import parse
from specs.facts import Comparison, compare, facts
from specs.reference import Ref
from tests.corpus.host import define, exported, line_of, write


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One object, before and after."""

    ref: Ref
    original: str  # XML
    rebuilt: str  # empty: it wasn't made again
    document: str  # YAML; empty: it has none
    left: tuple[str, ...]  # what the export tells that it leaves out
    why: str  # it wasn't made again

    @property
    def comparison(self) -> Comparison:
        """How the two compare."""
        if not self.rebuilt:
            return Comparison(0, facts(parse(self.original)), ())
        return compare(parse(self.original), parse(self.rebuilt))

    @property
    def in_overlay(self) -> int:
        """How many of the facts that are kept are kept as XML."""
        text = yaml.safe_load(self.document)["spec"].get("xml") if self.document else None
        return min(len(facts(parse(text))), self.comparison.kept) if text else 0


def rebuild(
    name: str,
    uri: str,
    prefix: str,
    images: Path,
    folder: Path,
    *,
    at_rest: Callable[[Line, Ref, Export], None],
    text: str | None = None,
) -> Rebuilt:
    """Define it (or `text`, by that name), export it, see that the documents change nothing, wipe it, and apply them
    with a state of their own: what an agent remembers isn't there either.
    """
    with line_of(write(Export((), ()), folder / "empty"), uri, folder / "state") as line:
        ref = define(line.hypervisor, name, images, prefix.__add__, text)
        before = line.observe().objects[ref]
        found = exported(line.observe(), prefix)
        documents = write(found, folder / "documents")
        with line_of(documents, uri, folder / "state-at-rest") as over:
            at_rest(over, ref, found)
        line.hypervisor.perform(Undefine(ref, before.uid))
        mine = next((document for document in found.documents if document.ref == ref), None)
        why = "; ".join(found.notes)
        with line_of(documents, uri, folder / "state-afterwards") as over:
            try:
                done = over.converge()
                failures = [str(each.error) for each in done.outcomes if not each.ok]
                why = "; ".join([*failures, *(each.message for each in done.remaining.blocked)]) or why
            except OnggiError as error:
                why = str(error)
        after = line.observe().objects.get(ref)
    return Rebuilt(
        ref,
        before.xml,
        after.xml if after is not None else "",
        mine.text if mine is not None else "",
        mine.left if mine is not None else (),
        "" if after is not None else why,
    )
