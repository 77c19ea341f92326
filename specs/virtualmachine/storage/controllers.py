"""A machine's controllers in libvirt's XML. Most come with what hangs on them, and are nobody's extras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from specs.binding import Items
from specs.declared import mapping
from specs.declared_binds import complete
from specs.virtualmachine.storage.controller_fields import CONTROLLERS as DECLARED
from specs.virtualmachine.storage.drives import pair_by


def _same(*names: str) -> Callable[[Any, Any], bool]:
    return lambda controller, found: all(controller.get(name) == found.get(name) for name in names)


def _match(declared: Sequence[Any], observed: Sequence[Any]) -> list[int | None]:
    """Those of usb that share a number, one and its companions, are told apart by what they are."""
    return pair_by((_same("type", "index", "model"), _same("type", "index")), declared, observed)


CONTROLLERS: Final = tuple(
    replace(bind, by_themselves=True, match=_match)
    for bind in complete(mapping("The machine's.", {"controllers": DECLARED}))
    if isinstance(bind, Items)
)
