"""The graphical console in libvirt's XML: protocol and listen address. Passwords never pass through here."""

from __future__ import annotations

from specs.binding import Element, Field, child_at, drop_attributes, element
from specs.effect import Effect

LOOPBACK = "127.0.0.1"


def console(kind: str, listen: str) -> Element:
    """A new console whose port libvirt chooses at each start."""
    return element("graphics", type=kind, autoport="yes", listen=listen)


def add_console(root: Element, kind: str, listen: str) -> None:
    """Add a console, the channel that SPICE's agent uses, and a video card when there is none."""
    devices = child_at(root, "devices")
    devices.append(console(kind, listen))
    if kind == "spice":
        devices.append(element("channel", element("target", type="virtio", name="com.redhat.spice.0"), type="spicevmc"))
    if devices.find("video") is None:
        system = root.find("os/type")
        arch = (None if system is None else system.get("arch")) or "x86_64"
        devices.append(element("video", element("model", type="vga" if arch in ("x86_64", "i686") else "virtio")))


def _console(root: Element) -> Element | None:
    return next((each for each in root.iterfind("devices/graphics") if each.get("type") in ("vnc", "spice")), None)


def _type(root: Element) -> str:
    found = _console(root)
    return "none" if found is None else str(found.get("type"))


def _put_type(root: Element, kind: str) -> None:
    listen = _listen(root) or LOOPBACK
    devices = child_at(root, "devices")
    spice_only = ("channel[@type='spicevmc']", "redirdev[@type='spicevmc']", "smartcard[@type='spicevmc']")
    for path in ("graphics[@type='vnc']", "graphics[@type='spice']", "audio[@type='spice']", *spice_only):
        for old in devices.findall(path):
            devices.remove(old)
    if kind == "none":
        for video in devices.findall("video"):
            devices.remove(video)
    else:
        add_console(root, kind, listen)


def _listen(root: Element) -> str | None:
    found = _console(root)
    if found is None:
        return None
    nested = found.find("listen[@type='address']")
    return found.get("listen") or (None if nested is None else nested.get("address"))


def _put_listen(root: Element, address: str) -> None:
    found = _console(root)
    if found is None:
        add_console(root, "vnc", address)
        return
    # libvirt says it twice and refuses a contradiction: one attribute is enough, the rest it fills in itself.
    for nested in found.findall("listen"):
        found.remove(nested)
    drop_attributes(found, "socket")
    found.set("listen", address)


GRAPHICS = (
    Field("graphics/type", get=_type, put=_put_type, effect=Effect.NEXT_BOOT),
    Field("graphics/listen", get=_listen, put=_put_listen, effect=Effect.NEXT_BOOT),
)
