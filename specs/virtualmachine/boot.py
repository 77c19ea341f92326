"""The boot order: per device, or for the whole machine; libvirt refuses a definition that says both."""

from __future__ import annotations

from specs.binding import Element, Field, set_text_at
from specs.codecs import INTEGER
from specs.effect import Effect


def _put_order(device: Element, value: int) -> None:
    root = device.getroottree().getroot()
    system = root.find("os")
    for machine_wide in [] if system is None else system.findall("boot"):
        machine_wide.getparent().remove(machine_wide)  # type: ignore[union-attr]
    for other in root.findall("devices/*/boot"):
        # Each place exists once: whoever has it now gets its own later, or had none declared.
        if other.get("order") == str(value) and (holder := other.getparent()) is not None and holder is not device:
            holder.remove(other)
    set_text_at(device, "boot/@order", str(value))


BOOT_ORDER = Field("bootOrder", "boot/@order", INTEGER, Effect.NEXT_BOOT, put=_put_order)
