"""How a device's address in the guest is written: its type, where on that bus it is, and options.

`pci 0000:05:00.0 multifunction`, `drive 0:0:0:1`, `usb 0:1.2`, `virtio-serial 0:0:1`, `ccid 0:0`, `ccw fe.0.0001`,
`spapr-vio 0x3000`, `isa 0x3f8 irq=0x4`, `dimm 0 base=0x100000000`; `virtio-mmio` and `unassigned` have nothing else.
The type alone leaves the place to libvirt.
"""

from __future__ import annotations

from typing import Final

from specs.declared import shared, text
from specs.effect import Effect

_HEX = "[0-9A-Fa-f]"
_NUMBER = "[0-9]{1,10}"
_PORT = "[0-9]{1,3}(?:\\.[0-9]{1,3}){0,3}"
_FORMS: Final = (
    f"pci(?: (?:{_HEX}{{1,8}}:)?{_HEX}{{1,2}}:[01]?{_HEX}\\.[0-7])?(?: multifunction(?:=off)?)?"
    f"(?: uid=0x{_HEX}{{1,4}})?(?: fid=0x{_HEX}{{1,8}})?",
    f"drive(?: {_NUMBER}:{_NUMBER}:{_NUMBER}:{_NUMBER})?",
    f"usb(?: {_NUMBER}(?::{_PORT})?)?",
    f"virtio-serial(?: {_NUMBER}:{_NUMBER}(?::{_NUMBER})?)?",
    f"ccid(?: {_NUMBER}(?::{_NUMBER})?)?",
    f"spapr-vio(?: 0x{_HEX}{{1,16}})?",
    f"ccw(?: {_HEX}{{1,2}}\\.[0-3]\\.{_HEX}{{1,4}})?",
    f"isa(?: 0x{_HEX}{{1,4}})?(?: irq=0x{_HEX})?",
    f"dimm(?: {_NUMBER})?(?: base=0x{_HEX}{{1,16}})?",
    "virtio-mmio",
    "unassigned",
)

ADDRESS: Final = shared(
    "deviceAddress",
    text(
        "Where the guest sees a device: its kind of address and the place, such as `pci 0000:05:00.0`, `drive 0:0:0:1` "
        "(controller, bus, target, unit), `usb 0:1` (bus, port) or `virtio-serial 0:0:1` (controller, bus, port). "
        "Default: libvirt chooses once, and it stays.",
        f"^(?:{'|'.join(_FORMS)})$",
        at_most=96,
        examples=("pci 0000:05:00.0",),
        error="An address is written such as `pci 0000:05:00.0`, `pci 0000:00:1f.2 multifunction`, `drive 0:0:0:1`, "
        "`usb 0:1`, `virtio-serial 0:0:1`, `ccid 0:0`, `ccw fe.0.0001`, `spapr-vio 0x3000`, `isa 0x3f8`, `dimm 0`, "
        "`virtio-mmio` or `unassigned`; correct it, or leave it out.",
        effect=Effect.NEXT_BOOT,
        codec="<address>",
    ),
)
