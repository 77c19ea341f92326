"""What differs between what a document says of an object and what its definition says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from specs.binding import Around, Bind, Field, Items, effect_of, value_at
from specs.effect import Change, Effect
from specs.plain import Spec


def differences(
    binds: Iterable[Bind], declared: Spec, observed: Spec, managed: frozenset[str] = frozenset()
) -> tuple[list[Change], list[str]]:
    """What differs between a declared (lowered) spec and an observed one, and the pointers of undeclared extras.

    `managed` holds the pointers (`/disks/default/web-root.qcow2`, built with the bind's label) of list items that an
    earlier revision declared: when such an item is no longer declared it is a removal, not an extra.
    """
    changes: list[Change] = []
    extras: list[str] = []
    for bind in binds:
        wanted = value_at(declared, bind.name)
        if isinstance(bind, Field):
            if wanted is None:
                continue
            found = bind.found_in(observed)
            if not bind.equal(wanted, found):
                around = Around(observed, declared, observed)
                changes.append(bind.change(f"/{bind.name}", found, wanted, around))
            continue
        found_items = value_at(observed, bind.name) or []
        if wanted is None and not any(pointer.startswith(f"/{bind.name}/") for pointer in managed):
            continue
        for item, present in bind.pairs(wanted or [], found_items):
            if item is not None:
                changes.extend(_item_changes(bind, item, present, Around(present or {}, declared, observed)))
            elif present is not None:
                pointer = bind.removal(present, managed, listed=wanted is not None)
                if pointer is not None:
                    changes.append(Change(pointer, present, None, effect_of(bind.remove_effect, present, None)))
                elif not bind.by_themselves:
                    extras.append(f"/{bind.name}/{bind.label(present)}")
    return changes, extras


def _item_changes(bind: Items, item: Spec, present: Spec | None, around: Around) -> Iterator[Change]:
    pointer = f"/{bind.name}/{bind.label(item)}"
    shown = f"/{bind.name}/{bind.called(item)}" if bind.called is not None else pointer
    if present is None:
        whys = (
            field.refuses(item[field.name], around) for field in bind.fields if field.refuses and field.name in item
        )
        why = next(filter(None, whys), "")
        effect = Effect.FORBIDDEN if why else effect_of(bind.add_effect, None, item)
        yield Change(pointer, None, item, effect, why, shown)
        return
    for field in bind.fields:
        wanted, found = value_at(item, field.name), field.found_in(present)
        if wanted is not None and not field.equal(wanted, found) and field.is_comparable(item, present):
            change = field.change(f"{pointer}/{field.name}", found, wanted, around)
            yield replace(change, shown=f"{shown}/{field.name}")
