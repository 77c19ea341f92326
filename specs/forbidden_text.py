"""Rules about what no document may say, as settings have them: `KIND`, `KIND.FIELD`, `KIND.FIELD=VALUE,VALUE` and
`KIND.FIELD!=VALUE,VALUE`, which is about all other values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from specs import canonical
from specs.declared import BESIDE, Declared
from specs.forbidden import Forbidden
from specs.nearest import nearest
from specs.registry import kinds

_RULE: Final = re.compile(r"(?P<kind>\w+)(?:\.(?P<field>[\w.]+)(?:(?P<sign>!?=)(?P<values>.+))?)?")
_NOT_THESE: Final = frozenset({"access", "deletionPolicy", "driftPolicy", "ignoreFields"})  # not what a host has


class NoRuleError(ValueError):
    """A text that is no rule; the sentence says why."""


def rule(text: str) -> Forbidden:
    """What a text says. Raises NoRuleError."""
    found = _RULE.fullmatch(text.strip())
    if found is None:
        raise NoRuleError(
            f"{text!r} is no rule; give a kind, a field or its values, such as StoragePool, VirtualMachine.hostDevices "
            "or VirtualMachine.graphics.listen!=127.0.0.1,::1."
        )
    kind, field = found["kind"], tuple((found["field"] or "").split(".")) if found["field"] else ()
    if kind not in kinds():
        raise NoRuleError(f"{text!r}: there is no kind {kind}; {_near(kind, kinds())}")
    if not kinds()[kind].has_xml:
        raise NoRuleError(f"{text!r}: a {kind} makes nothing on the host by itself; forbid it of what is made with it.")
    if field and field[0] in _NOT_THESE:
        raise NoRuleError(f"{text!r}: {field[0]} says nothing of the host, and can't be forbidden; leave the rule out.")
    way = tuple(_declared(text, kind, field))
    values = tuple(canonical.address(value.strip()) for value in (found["values"] or "").split(",") if value.strip())
    default = way[-1].keywords.get("default") if way else None
    return Forbidden(
        text.strip(), kind, field, values, found["sign"] == "!=", None if isinstance(default, list) else default,
        _pointer(field, way),
    )  # fmt: skip


def _declared(text: str, kind: str, field: tuple[str, ...]) -> Iterator[Declared]:
    """Each field on the way. Raises NoRuleError for one that there isn't."""
    declared = kinds()[kind].declarations.SPEC
    for key in field:
        try:
            declared = declared[key]
        except KeyError:
            whole = declared.base or declared
            known = whole.item.fields if whole.item is not None else whole.fields
            raise NoRuleError(f"{text!r}: {kind} has no field {'.'.join(field)}; {_near(key, known)}") from None
        yield declared


def _pointer(field: tuple[str, ...], way: tuple[Declared, ...]) -> str:
    if not way or way[0].at == BESIDE:
        return ""
    lists = [place for place, declared in enumerate(way, 1) if declared.keywords.get("type") == "array"]
    return "/" + "/".join(field[: lists[0]] if lists else field)


def _near(word: str, known: Mapping[str, object]) -> str:
    near = nearest(word, known)
    return (
        f"write {near[0]}, if that is meant." if near else f"there are {', '.join(sorted(known)) or 'none below it'}."
    )
