"""The graphical console in libvirt's XML: protocol, listen address, and how long its password is valid.

Passwords never pass through here: only whether there is one, which libvirt tells by a mask in its place.
"""

from __future__ import annotations

from typing import Any

from specs.binding import Element, Field, Spec, child_at, drop_attributes, element, value_at
from specs.effect import Effect

LOOPBACK = "127.0.0.1"
IS_SET = "(set)"  # stands for a password, in a lowered spec as in an observed one
NEVER = "never"  # a password that stays valid


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


def find_console(root: Element) -> Element | None:
    """The console that a document means; SDL and the like are other tools' business."""
    return next((each for each in root.iterfind("devices/graphics") if each.get("type") in ("vnc", "spice")), None)


def _type(root: Element) -> str:
    found = find_console(root)
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
    found = find_console(root)
    if found is None:
        return None
    nested = found.find("listen[@type='address']")
    return found.get("listen") or (None if nested is None else nested.get("address"))


def _put_listen(root: Element, address: str) -> None:
    found = find_console(root)
    if found is None:
        add_console(root, "vnc", address)
        return
    # libvirt says it twice and refuses a contradiction: one attribute is enough, the rest it fills in itself.
    for nested in found.findall("listen"):
        found.remove(nested)
    drop_attributes(found, "socket")
    found.set("listen", address)


def _password(root: Element) -> str | None:
    found = find_console(root)
    return None if found is None or found.get("passwd") is None else IS_SET


def _make_slot(root: Element, _value: Any) -> None:
    """A password needs a console; it goes into its slot there at the last moment: see `secret_slots`."""
    if find_console(root) is None:
        add_console(root, "vnc", LOOPBACK)


def _password_effect(_old: Any, _new: Any, observed: Spec) -> Effect:
    """Live where the console had a password when the machine started; next boot for its first one."""
    return Effect.LIVE if value_at(observed, "graphics/passwordFrom") else Effect.NEXT_BOOT


def _valid_to(root: Element) -> str | None:
    found = find_console(root)
    until = None if found is None else found.get("passwdValidTo")
    return None if until is None else f"{until}Z"


def _put_valid_to(root: Element, until: str) -> None:
    found = find_console(root)
    if found is None:
        return
    if until == NEVER:
        drop_attributes(found, "passwdValidTo")
    else:
        found.set("passwdValidTo", until.removesuffix("Z"))


PASSWORD = Field("graphics/passwordFrom", get=_password, put=_make_slot, effect_in=_password_effect)
VALID_TO = Field(
    "graphics/passwordValidTo", get=_valid_to, put=_put_valid_to, effect_in=_password_effect, missing=NEVER
)

GRAPHICS = (
    Field("graphics/type", get=_type, put=_put_type, effect=Effect.NEXT_BOOT),
    Field("graphics/listen", get=_listen, put=_put_listen, effect=Effect.NEXT_BOOT),
    PASSWORD,
    VALID_TO,
)
