"""What a document may say: every field of every kind is declared once, as a value.

From that one declaration come the JSON Schema (and with it `explain` and the reference), what a change costs, and where
a path in libvirt's XML says it all also how the field is lowered, read, written, compared and exported: see `carried`
here and `complete` in `binding`. Nothing here knows XML, so that validating needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from specs.effect import Effect
from specs.plain import NewJson

Keywords = Mapping[str, Any]

# Where a field is, beside a path such as `devices/watchdog/@model`:
IN_CODE: Final = "by code"  # in libvirt's XML too, but there the kind's own modules read and write it
BESIDE: Final = "beside the definition"  # nowhere in the XML: somebody else acts on it or keeps it


@dataclass(frozen=True, slots=True)
class Declared:
    """A value that a document may have: its own JSON Schema keywords, and what is below it.

    `at` is its place in the definition, empty for what is placed with the mapping or list that it is in. `absent` is
    what it means that the XML doesn't have it (libvirt's documented default). `shared` names a value that several
    fields have; `item` is each one's of a list. `lowered` has the fields that lowering makes of a mapping's where it
    does more than count a size in bytes: new ones, other ones, and `GONE` for those that aren't there any more.
    `takes_along` are paths of the definition that go when the value becomes another one: what hangs on it. `codec` is
    the notation that the XML has for it, one of `specs.codecs.NOTATIONS`, where its type doesn't say that.

    A list with a place is one of the elements there, each of which has the fields of its item at places of its own.
    `identity` names those by which items are told apart, and several with equal ones are told apart by their order.
    `removal` is what it costs to have one less, where that isn't what one more costs.
    """

    keywords: Keywords
    fields: Mapping[str, Declared] = field(default_factory=dict)
    item: Declared | None = None
    shared: str = ""
    base: Declared | None = None  # the shared value that this one refers to
    at: str = ""
    absent: Any = None
    lowered: Declared | None = None
    takes_along: tuple[str, ...] = ()
    codec: str = ""
    identity: tuple[str, ...] = ()
    removal: Effect | None = None

    def __getitem__(self, name: str) -> Declared:
        """A field by name, also of a list's items. Raises KeyError."""
        whole = self.base or self
        return whole.item[name] if whole.item is not None else whole.fields[name]

    @property
    def effect(self) -> Effect:
        """What a change costs. Raises KeyError where nobody declares that."""
        return Effect(self.keywords["x-effect"])

    def but(self, about: str = "", **more: Any) -> Declared:
        """A field of this shared value, with words, a default, examples, an effect or a place of its own."""
        made = _declared({}, about, **more)
        return replace(made, base=self, fields=self.fields, item=self.item, lowered=self.lowered)

    def unplaced(self, about: str = "") -> Declared:
        """The same, in other words if need be, where it is nowhere in a definition and a change costs nothing."""
        own = {key: value for key, value in self.keywords.items() if key != "x-effect"}
        return replace(self, keywords={**own, "description": about} if about else own, at="", absent=None)


GONE: Final = Declared({})  # among lowered fields: one that lowering takes out


def _declared(
    keywords: Keywords,
    about: str,
    *,
    effect: Effect | None = None,
    default: Any = None,
    examples: Sequence[Any] = (),
    error: str = "",
    at: str = "",
    absent: Any = None,
    takes_along: tuple[str, ...] = (),
    codec: str = "",
    **more: Any,
) -> Declared:
    """`more` are JSON Schema keywords; None leaves one out."""
    every = {
        **({"type": keywords["type"]} if "type" in keywords else {}),
        "description": about or None,
        **keywords,
        **more,
        "default": default,
        "examples": list(examples) or None,
        "errorMessage": error or None,
        "x-effect": None if effect is None else effect.value,
    }
    said = {key: value for key, value in every.items() if value is not None}
    return Declared(said, at=at, absent=absent, takes_along=takes_along, codec=codec)


def text(
    about: str = "", pattern: str | None = None, *, at_most: int | None = None, unit: str | None = None, **more: Any
) -> Declared:
    """Text, of a pattern and of at most so many characters; of a `unit` where it is a size."""
    return _declared({"type": "string", "x-unit": unit, "maxLength": at_most, "pattern": pattern}, about, **more)


def number(about: str, least: int, most: int, **more: Any) -> Declared:
    """A whole number."""
    return _declared({"type": "integer", "minimum": least, "maximum": most}, about, **more)


def quantity(about: str, least: int, most: int, *, unit: str, pattern: str, **more: Any) -> Declared:
    """A whole number of `unit`, or text with a unit of its own."""
    limits = {"minimum": least, "maximum": most, "pattern": pattern}
    return _declared({"type": ["integer", "string"], "x-unit": unit, **limits}, about, **more)


def yes_no(about: str, **more: Any) -> Declared:
    """True or false, in XML `yes` or `no`."""
    return _declared({"type": "boolean"}, about, **more)


def on_off(about: str, **more: Any) -> Declared:
    """True or false, in XML `on` or `off`."""
    return _declared({"type": "boolean"}, about, codec="on/off", **more)


def present(about: str, **more: Any) -> Declared:
    """True or false, in XML an element that is there or isn't; one that is there may say itself that it's `off`."""
    return _declared({"type": "boolean"}, about, codec="present", **more)


def word(about: str, *choices: str, **more: Any) -> Declared:
    """One of some words."""
    return _declared({"enum": list(choices)}, about, **more)


def items(
    about: str,
    item: Declared,
    *,
    least: int | None = None,
    most: int | None = None,
    unique: bool = False,
    identity: Sequence[str] = (),
    add: Effect | None = None,
    remove: Effect | None = None,
    **more: Any,
) -> Declared:
    """A list; with a place in the definition one of elements, see `Declared`. `add` is what one more of them costs, and
    `remove` one less, by default both the list's own effect.
    """
    limits = {"minItems": least, "maxItems": most, "uniqueItems": unique or None}
    if add is not None:
        more["effect"] = add
    made = _declared({"type": "array", **limits}, about, **more)
    return replace(made, item=item, identity=tuple(identity), removal=remove)


def mapping(
    about: str,
    fields: Mapping[str, Declared],
    *,
    required: Sequence[str] = (),
    rules: Sequence[Keywords] = (),
    one: bool = False,
    lowered: Declared | None = None,
    **more: Any,
) -> Declared:
    """A mapping with exactly these fields; `rules` hold between them, with `one` it has exactly one of them."""
    limits = {"minProperties": 1, "maxProperties": 1} if one else {}
    keywords = {"required": list(required) or None, "allOf": list(rules) or None}
    made = _declared({"type": "object", "additionalProperties": False, **limits, **keywords}, about, **more)
    return replace(made, fields=fields, lowered=lowered)


def counts(about: str) -> Declared:
    """Whole numbers, or none, by names."""
    return _declared({"type": "object", "additionalProperties": {"type": ["integer", "null"]}}, about)


def shared(name: str, value: Declared) -> Declared:
    """A value that several fields have: the schema holds it once."""
    return replace(value, shared=name)


def either(*texts: Declared) -> str:
    """The pattern of what is one of several texts, each with a pattern from its beginning to its end."""
    return f"^(?:{'|'.join(each.keywords['pattern'].removeprefix('^').removesuffix('$') for each in texts)})$"


def has(*names: str) -> NewJson:
    """A condition for rules: the mapping has all of these."""
    return {"required": list(names)}


def is_one(name: str, *values: str) -> NewJson:
    """A condition for rules: a field has one of some values."""
    value = {"const": values[0]} if len(values) == 1 else {"enum": list(values)}
    return {"required": [name], "properties": {name: value}}


def exactly_one(*names: str, error: str) -> Keywords:
    """The rule that a mapping has one of these fields and none of the others."""
    return {"oneOf": [has(name) for name in names], "errorMessage": error}


def any_of(*names: str, error: str) -> Keywords:
    """The rule that a mapping has at least one of these fields."""
    return {"anyOf": [has(name) for name in names], "errorMessage": error}


def never(condition: Keywords, error: str) -> Keywords:
    """The rule that a mapping doesn't fulfil a condition."""
    return {"not": condition, "errorMessage": error}


def only_with(name: str, key: str, *values: str, error: str) -> Keywords:
    """The rule that a mapping has a field only where another one, if it is there, has one of some values."""
    return never({"required": [name, key], "properties": {key: {"not": {"enum": list(values)}}}}, error)


def where(condition: Keywords, then: Keywords, otherwise: Keywords | None = None) -> Keywords:
    """The rule that `then` holds where a condition is fulfilled, and `otherwise` where it isn't."""
    return {"if": condition, "then": then, **({} if otherwise is None else {"else": otherwise})}


def place(field: Declared) -> str:
    """The path at which the definition has a field; empty for one that isn't at a path."""
    return "" if field.at in (IN_CODE, BESIDE) else field.at


def declared_at(spec: Declared, name: str) -> Declared:
    """The field at a `/`-joined name. Raises KeyError."""
    for key in name.split("/"):
        spec = spec[key]
    return spec


def placed(spec: Declared, name: str = "") -> Iterator[tuple[str, Declared]]:
    """(`/`-joined name, field) of each field whose value a path in the definition says, with its whole path. A list of
    elements is one such field, and its items have theirs.
    """
    for key, each in spec.fields.items():
        whole = f"{name}{key}"
        if not each.fields or each.item is not None:
            if place(each):
                yield whole, each
        elif each.at == "":
            yield from placed(each, f"{whole}/")
        elif place(each):
            for below, field in placed(each, f"{whole}/"):
                yield below, replace(field, at=f"{each.at}/{field.at}".removesuffix("/."))
