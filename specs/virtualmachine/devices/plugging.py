"""Which of a machine's other devices come and go while it runs: on some buses, and of some kinds, as QEMU can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from specs.binding import Bind
from specs.declared_binds import bound
from specs.effect import Effect
from specs.virtualmachine.fields import SPEC


def _where(field: str, *values: str) -> Callable[[Any, Any], Effect]:
    """Live for devices of which a field has one of some values, at the next boot for the others."""

    def effect(old: Any, new: Any) -> Effect:
        return Effect.LIVE if (new or old or {}).get(field) in values else Effect.NEXT_BOOT

    effect.__doc__ = f"Live where `{field}` is {' or '.join(values)}; next boot for the others."
    return effect


def _plugged(name: str, field: str, *values: str) -> Bind:
    effect = _where(field, *values)
    return bound(SPEC, name, add_effect=effect, remove_effect=effect)


PLUGGED: Final = (
    _plugged("inputs", "bus", "usb", "virtio"),
    _plugged("shmems", "model", "ivshmem-plain", "ivshmem-doorbell"),
)
