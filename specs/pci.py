"""A PCI address of the host in libvirt's XML, and as documents write it: 0000:03:10.1."""

from __future__ import annotations

from typing import Any, Final

_PARTS: Final = ("domain", "bus", "slot", "function")


def pci_text(address: Any) -> str:
    """What an `<address>` of the type pci says."""
    domain, bus, slot, function = (int(address.get(part) or "0", 16) for part in _PARTS)
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function}"


def put_pci(address: Any, text: str) -> None:
    """Have an `<address>` say it."""
    domain, bus, rest = text.lower().split(":")
    slot, _, function = rest.partition(".")
    address.set("type", "pci")
    for part, digits in zip(_PARTS, (domain, bus, slot, function), strict=True):
        address.set(part, f"0x{digits}")
