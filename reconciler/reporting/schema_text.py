"""A kind or one of its fields as `onggi explain` prints it. What there is to tell comes from `specs/explain.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from specs.effect import Effect
from specs.explain import Explanation
from specs.plain import NewJson

_EFFECTS = {
    Effect.LIVE: "comes true in the running object",
    Effect.NEXT_BOOT: "comes true at the next boot",
    Effect.RECREATE: "needs the object to be made anew",
    Effect.FORBIDDEN: "can't be changed once it is made",
}
_WIDEST = 100


def explanation_text(found: Explanation, *, width: int) -> str:
    """The field as kubectl explains one, without a last line end."""
    width = min(width, _WIDEST)
    kind, _, field = found.path.partition(".")
    lines = [f"KIND:     {kind}"]
    if field:
        lines.append(f"FIELD:    {field} <{found.type}>{_required(found)}")
    lines += ["", *textwrap.wrap(found.description, width)]
    if found.effect is not None:
        lines += ["", f"CHANGE:   {found.effect}: {_EFFECTS[found.effect]}"]
    if found.choices:
        lines += ["", f"CHOICES:  {', '.join(found.choices)}"]
    if found.examples:
        lines += ["", f"EXAMPLE:  {', '.join(map(str, found.examples))}"]
    if found.children:
        lines += ["", "FIELDS:", *_listed(found.children, width, "  ")]
    return "\n".join(lines)


def kinds_text(found: Iterable[tuple[Explanation, Iterable[str]]]) -> str:
    """Every kind with its aliases and its first sentence, and how to go on."""
    rows = [(each.path, ", ".join(aliases), each.description.partition(". ")[0].rstrip(".")) for each, aliases in found]
    names, others = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"{name:<{names}}  {words:<{others}}  {sentence}" for name, words, sentence in rows]
    return "\n".join([*lines, "", "More: onggi explain vm.disks"])


def explanation_json(found: Explanation) -> NewJson:
    """The shape of `onggi explain -o json`; what there is nothing of is left out."""
    kind, _, field = found.path.partition(".")
    told = {
        "kind": kind,
        "field": field,
        "type": found.type,
        "required": found.required,
        "description": found.description,
        "effect": found.effect.value if found.effect is not None else None,
        "choices": list(found.choices),
        "default": found.default,
        "examples": list(found.examples),
        "fields": [explanation_json(child) for child in found.children],
    }
    return {key: value for key, value in told.items() if key == "required" or value not in ("", None, [])}


def _required(found: Explanation) -> str:
    return " -required-" if found.required else ""


def _listed(fields: Iterable[Explanation], width: int, indent: str) -> Iterator[str]:
    for place, field in enumerate(fields):
        if place:
            yield ""
        effect = f" ({field.effect})" if field.effect is not None else ""
        yield f"{indent}{field.name} <{field.type}>{_required(field)}{effect}"
        text = f"{indent}    "
        yield from textwrap.wrap(field.description, width, initial_indent=text, subsequent_indent=text)
        if field.children:
            yield ""
            yield from _listed(field.children, width, f"{indent}  ")
