"""Templates that machines and other templates name: each is there, and each way through them ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from specs.among import Clash, Placed
from specs.reference import TEMPLATE, Ref

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec

MAX_TEMPLATES: Final = 32  # that extend each other


def check_among(declared: Sequence[tuple[Placed, TemplateSpec]], known: Collection[Ref]) -> Iterator[Clash]:
    """Templates that extend what isn't there, or themselves."""
    parents = {document.name: spec.get("template") for document, spec in declared}
    for document, spec in declared:
        if (wanted := spec.get("template")) is None:
            continue
        if sentence := missing(wanted, known):
            yield document, "/spec/template", sentence
        if way := _way(document.name, parents):
            circle = way[-1] == document.name
            sentence = (
                f"These templates extend each other in a circle: {' → '.join(way)}; remove `template` from one."
                if circle
                else f"This extends more than {MAX_TEMPLATES} templates one after the other; put some of them together."
            )
            yield document, "/spec/template", sentence


def missing(wanted: str, known: Collection[Ref]) -> str:
    """What to say of a document that names a template which nobody declares; empty when there is one."""
    if Ref(TEMPLATE, wanted) in known:
        return ""
    return f"There is no Template `{wanted}`; add its document, or correct the name."


def _way(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """The way from a template back to itself, or to more than there may be; empty when it ends before."""
    way = [name]
    while (parent := parents.get(way[-1])) is not None:
        way.append(parent)
        if parent == name or len(way) > MAX_TEMPLATES + 1:
            return way
        if parent in way[:-1]:
            return []  # a circle further up, which is told of those templates
    return []
