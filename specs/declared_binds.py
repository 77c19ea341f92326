"""Binds from declarations: a field whose place in the XML is a path needs no code to be read, written and compared,
and one that has code says there only what its declaration doesn't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from specs.binding import Bind, Field, put_at, value_at
from specs.bound import never_beside
from specs.codecs import INTEGER, TEXT, YES_NO
from specs.declared import Declared, declared_at, place, placed
from specs.plain import NewSpec, Spec

_CODECS = {"boolean": YES_NO, "integer": INTEGER}


def binder(spec: Declared) -> Callable[..., Field]:
    """A maker of binds for the fields of a declared mapping, or of a list's items: `bind(name, path, **how)`.

    The path, the codec, the effect and what an absent element means are as declared where `how`, in the words of
    `Field`, doesn't say otherwise.
    """

    def bind(name: str, path: str = "", **how: Any) -> Field:
        return _field(name, declared_at(spec, name), path, how)

    return bind


def complete(spec: Declared, binds: Iterable[Bind]) -> tuple[Bind, ...]:
    """These binds behind those of the other declared fields for which a path says it all."""
    given = tuple(binds)
    known = {bind.name for bind in given}
    return (*(_field(name, field, "", {}) for name, field in placed(spec) if name not in known), *given)


def sayable(spec: Declared, observed: Spec) -> NewSpec:
    """Of what a definition says at paths whatever a document has to say of it: not what is a default anyway."""
    said: NewSpec = {}
    for name, field in placed(spec):
        value = value_at(observed, name)
        if value not in (None, field.absent, field.keywords.get("default")):
            put_at(said, name, value)
    return said


def _field(name: str, declared: Declared, path: str, how: dict[str, Any]) -> Field:
    said: NewSpec = {
        "codec": _CODECS.get(declared.keywords.get("type", ""), TEXT),
        "missing": declared.absent,
    }
    if declared.takes_along:
        said["bound"] = (never_beside(*declared.takes_along),)
    if "effect_in" not in how:
        said["effect"] = how.get("effect") or declared.effect
    return Field(name, path or place(declared), **said | how)
