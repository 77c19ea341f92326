"""What changing each field of a kind costs, in words: from the binds where they know it, else from the schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from specs.binding import Bind, Field, Items
from specs.effect import Effect
from specs.explain import Explanation, explain
from specs.registry import Kind, kinds

_Known = Effect | Callable[..., Effect]


@dataclass(frozen=True, slots=True)
class FieldEffect:
    """`effect` is None where it depends on the values; `when` then says on what. A list's own is about its items."""

    field: str  # below the spec: disks.ioLimits
    effect: Effect | None
    when: str


def field_effects(kind: Kind) -> Iterator[FieldEffect]:
    """Each declarable field of a kind with an object on the host, in the schema's order."""
    if not kind.has_xml:
        return
    words = _words(kind)
    bound = dict(_bound(kind.xml.BINDS))
    for name, (other, theirs) in kind.borrowed.items():
        bound[name] = dict(_bound(kinds()[other].xml.BINDS))[theirs]
    for field in _all(explain(kind.name, "spec")):
        name = field.path.removeprefix(f"{kind.name}.spec.")
        if field.effect is None:
            continue
        # What a document may not change is refused before any XML is compared.
        refused = field.effect in (Effect.FORBIDDEN, Effect.RECREATE)
        known: _Known = field.effect if refused or name not in bound else bound[name]
        if isinstance(known, Effect):
            yield FieldEffect(name, known, words[known])
        else:
            yield FieldEffect(name, None, _sentence(known))


def _words(kind: Kind) -> dict[Effect, str]:
    return {
        Effect.LIVE: "live",
        Effect.NEXT_BOOT: kind.next_start,
        Effect.RECREATE: "recreate",
        Effect.FORBIDDEN: "refused",
    }


def _all(field: Explanation) -> Iterator[Explanation]:
    for child in field.children:
        yield child
        yield from _all(explain(child.path))


def _bound(binds: Iterable[Bind]) -> Iterator[tuple[str, _Known]]:
    for bind in binds:
        if isinstance(bind, Items):
            yield _dotted(bind.name), bind.add_effect
            for field in bind.fields:
                yield f"{_dotted(bind.name)}.{_dotted(field.name)}", _of(field)
        else:
            yield _dotted(bind.name), _of(bind)


def _of(field: Field) -> _Known:
    return field.effect_in or field.effect_among or field.effect


def _dotted(name: str) -> str:
    return name.replace("/", ".")


def _sentence(effect: Callable[..., Effect]) -> str:
    """What a function that decides about an effect says of itself."""
    about = inspect.getdoc(effect)
    if not about:
        raise LookupError(f"{effect.__qualname__} doesn't say when a change comes true; give it a docstring.")
    sentence = about.partition("\n")[0].rstrip(".")
    return sentence[0].lower() + sentence[1:]
