"""Which device of a running machine a piece of XML means: by what the piece says, not by what libvirt adds to it."""

from __future__ import annotations

from specs.binding import Element, text_at
from specs.overlay.tables import OWN_ALIAS

_PCI = tuple(f"source/address/@{name}" for name in ("domain", "bus", "slot", "function"))
_USB_OR_SCSI = tuple(f"source/address/@{name}" for name in ("device", "target", "unit"))
_OTHERS = ("source/adapter/@name", "source/address/@uuid")

# Places below a device's element that tell it from the machine's others: of the first group of which any is given, all.
_IDENTITIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "disk": (("target/@dev",),),
    "interface": (("mac/@address",),),
    "channel": (("target/@name",),),
    "shmem": (("@name",),),
    "filesystem": (("target/@dir",),),
    **dict.fromkeys(("input", "rng", "redirdev"), (("alias/@name",),)),  # which only one that is plugged in has
    "memory": (("alias/@name",),),  # which libvirt gives each, and nothing else tells two apart
    "hostdev": ((*_PCI, *_USB_OR_SCSI, *_OTHERS), ("source/vendor/@id", "source/product/@id")),
}
_ALIAS = "alias/@name"  # of any device that whoever defined it has given a name
_SOURCES = tuple(f"source/@{name}" for name in ("file", "dev", "dir", "name", "pool", "volume"))


def identity(device: Element) -> dict[str, str]:
    """What the device is known by, as far as it says so; empty where only libvirt could tell."""
    for places in _IDENTITIES.get(str(device.tag), ()):
        given = {place: _plain(text) for place in places if (text := text_at(device, place))}
        if given:
            return given
    alias = text_at(device, _ALIAS) or ""
    return {_ALIAS: _plain(alias)} if alias.startswith(OWN_ALIAS) else {}


def is_meant(device: Element, running: Element) -> bool:
    """True when `running`, which may say more, is what `device` means."""
    wanted = identity(device)
    return bool(wanted) and all(_plain(text_at(running, place) or "") == text for place, text in wanted.items())


def has_same_source(device: Element, running: Element) -> bool:
    """True unless the two are disks with different contents."""
    return device.tag != "disk" or _source(device) == _source(running)


def _source(disk: Element) -> dict[str, str]:
    return {place: text for place in _SOURCES if (text := text_at(disk, place))}


def _plain(text: str) -> str:
    """One spelling for `0x02` and `2`, and for a MAC in either case."""
    try:
        return str(int(text, 0))
    except ValueError:
        return text.lower()
