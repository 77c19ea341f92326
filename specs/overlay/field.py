"""The field `xml`, the same in every kind with XML."""

from __future__ import annotations

from specs.declared import IN_CODE, Declared, text
from specs.effect import Effect

_MOST_CHARACTERS = 1 << 16


def overlay(root: str, effect: Effect) -> Declared:
    """The field of a kind whose definitions are `<root>` elements; `effect` is the strongest of its statements."""
    return text(
        f"libvirt's own XML, as a `<{root}>` with what no field has a word for: it is merged into the definition, kept "
        "so, and taken out again once it isn't written here any more. It may not say another thing than a field, nor, "
        "unless the host allows it, name what is outside of the object. Default: none.",
        at_most=_MOST_CHARACTERS,
        effect=effect,
        examples=(f"<{root}/>",),
        at=IN_CODE,
    )
