"""What no document may say on a host, whoever committed it: rules that only the host's administrator writes.

A committer decides about machines, and some of what a machine may have reaches beyond it: a device of the host, an
address that its console listens on. A rule names a kind, a field of it, or some of a field's values; it is made of a
text by `forbidden_text.rule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from specs import canonical
from specs.plain import Spec


@dataclass(frozen=True, slots=True)
class Forbidden:
    """One rule. Without `field` it is about every document of the kind; without `values` about every value, else about
    those that one of these patterns fits, or with `others` about all that none fits. `default` is the field's.

    `pointer` is what of a spec stays as it is on the host where that goes against the rule: up to the first list, whose
    items are pulled when they are left out. Empty where nothing can be left out, so that all of a document is held.
    """

    text: str
    kind: str
    field: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    others: bool = False
    default: str | int | bool | None = None
    pointer: str = ""

    def __str__(self) -> str:
        return self.text

    def fits(self, spec: Spec, *, implied: bool = False) -> bool:
        """Whether a spec says what is forbidden. What a document `implied` isn't one of its kind, but says as much."""
        return any(map(self._fits, self._said(spec, self.field))) if self.field else not implied

    def _fits(self, value: Any) -> bool:
        if value in (None, [], {}):
            return False  # which says that there is none
        if not self.values:
            return True
        text = str(value).lower() if isinstance(value, bool) else canonical.address(str(value))
        return any(fnmatchcase(text, pattern) for pattern in self.values) != self.others

    def _said(self, value: Any, way: tuple[str, ...]) -> Iterator[Any]:
        """All that is said at the end of the way, in each item of lists; where values count, defaults too."""
        if isinstance(value, list):
            for item in value:
                yield from self._said(item, way)
        elif not way:
            yield value
        elif isinstance(value, Mapping) and way[0] in value:
            yield from self._said(value[way[0]], way[1:])
        elif isinstance(value, Mapping) and len(way) == 1 and self.values:
            yield self.default


def forbidden_in(rules: Iterable[Forbidden], kind: str, spec: Spec, *, implied: bool = False) -> Iterator[Forbidden]:
    """The rules that a spec of a kind goes against."""
    return (each for each in rules if each.kind == kind and each.fits(spec, implied=implied))


def told(rules: Iterable[Forbidden]) -> str:
    """Of the ones that a document goes against."""
    first, *more = (each.text.replace("!=", " other than ", 1) if each.others else each.text for each in rules)
    return (
        f"{first}{''.join(f' and {each}' for each in more)} may not be said on this host; leave it out, or have the "
        "host's administrator take the rule out of forbid in onggi's settings"
    )
