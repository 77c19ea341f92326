"""The graphical console in libvirt's XML: protocol, listen address, and how long its password is valid.

Passwords never pass through here: only whether there is one, which libvirt tells by a mask in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from specs import canonical
from specs.binding import Bind, Element, Field, Item, Items, child_at, drop_attributes, element, value_at
from specs.bound import bound_to
from specs.declared import mapping
from specs.declared_binds import binder, bound, completed
from specs.effect import Effect
from specs.elements import Elements
from specs.virtualmachine.devices.fields import NOWHERE
from specs.virtualmachine.devices.graphics_fields import OPTIONS
from specs.virtualmachine.fields import SPEC

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

bind = binder(SPEC)

CONSOLE: Final = mapping("Of a console all that isn't said by code.", OPTIONS)
LOOPBACK = "127.0.0.1"
IS_SET = "(set)"  # stands for a password, in a lowered spec as in an observed one
_AGENT = "channel/target[@name='com.redhat.spice.0']"  # of SPICE's own kind, or that of QEMU for other consoles
NEVER = "never"  # a password that stays valid


def console(kind: str, listen: str) -> Element:
    """A new console whose port libvirt chooses at each start."""
    if listen == NOWHERE:
        return element("graphics", element("listen", type=NOWHERE), type=kind)
    return element("graphics", type=kind, autoport="yes", listen=listen)


def add_console(root: Element, kind: str, listen: str) -> None:
    """Add a console, the channel that SPICE's agent uses, and a video card when there is none."""
    devices = child_at(root, "devices")
    devices.append(console(kind, listen))
    if kind == "spice" and devices.find(_AGENT) is None:
        devices.append(element("channel", element("target", type="virtio", name="com.redhat.spice.0"), type="spicevmc"))
    if devices.find("video") is None:
        system = root.find("os/type")
        arch = (None if system is None else system.get("arch")) or "x86_64"
        devices.append(element("video", element("model", type="vga" if arch in ("x86_64", "i686") else "virtio")))


def find_console(root: Element) -> Element | None:
    """The console that a document means; SDL and the like are other tools' business."""
    return next((each for each in root.iterfind("devices/graphics") if is_console(each)), None)


def is_console(device: Element) -> bool:
    """True for a console of a kind that a document means."""
    return device.tag == "graphics" and device.get("type") in ("vnc", "spice")


def _type(root: Element) -> str:
    found = find_console(root)
    return "none" if found is None else str(found.get("type"))


def _put_type(root: Element, kind: str) -> None:
    listen, keymap = _listen(root) or LOOPBACK, _keymap(root)
    devices = child_at(root, "devices")
    for path in ("graphics[@type='vnc']", "graphics[@type='spice']"):
        for old in devices.findall(path):
            devices.remove(old)
    if kind == "none":
        if devices.find("graphics") is None:  # others show the same picture
            for video in devices.findall("video"):
                devices.remove(video)
    else:
        add_console(root, kind, listen)
        if keymap and (found := find_console(root)) is not None:
            found.set("keymap", keymap)
    _settle_sound(devices)
    _settle_acceleration(devices)


def _keymap(root: Element) -> str:
    found = find_console(root)
    return "" if found is None else found.get("keymap") or ""


def _settle_sound(devices: Element) -> None:
    """A sound card plays through an audio backend by its number: one whose backend is gone takes what libvirt gives."""
    backends = {each.get("id") for each in devices.iterfind("audio")}
    for holder in (*devices.iterfind("sound"), *devices.iterfind("graphics")):
        for played in holder.findall("audio"):
            if played.get("id") not in backends:
                holder.remove(played)


def _settle_acceleration(devices: Element) -> None:
    """A guest's 3D needs a console that draws with the host's: without one QEMU has no such card."""
    draws = any(
        each.get("type") == "egl-headless" or (gl is not None and gl.get("enable") == "yes")
        for each in devices.iterfind("graphics")
        for gl in [each.find("gl")]
    )
    for card in devices.findall("video/model[@type='virtio']") if not draws else ():
        for acceleration in card.findall("acceleration"):
            card.remove(acceleration)


def _listen(root: Element) -> str | None:
    found = find_console(root)
    if found is None:
        return None
    if found.find(f"listen[@type='{NOWHERE}']") is not None:
        return NOWHERE
    nested = found.find("listen[@type='address']")
    return found.get("listen") or (None if nested is None else nested.get("address"))


def _same_address(declared: str, observed: str | None) -> bool:
    return observed is not None and canonical.address(declared) == canonical.address(observed)


def _put_listen(root: Element, address: str) -> None:
    found = find_console(root)
    if found is None:
        add_console(root, "vnc", address)
        return
    # libvirt says it twice and refuses a contradiction: one attribute is enough, the rest it fills in itself.
    for nested in found.findall("listen"):
        found.remove(nested)
    drop_attributes(found, "socket")
    if address == NOWHERE:
        drop_attributes(found, "listen", "port", "tlsPort", "autoport", "websocket")
        found.append(element("listen", type=NOWHERE))
        return
    found.set("listen", address)
    if found.get("port") is None and found.get("tlsPort") is None:
        found.set("autoport", "yes")  # one without a port is reached through the host's graphics alone


def _password(root: Element) -> str | None:
    found = find_console(root)
    return None if found is None or found.get("passwd") is None else IS_SET


def _make_slot(root: Element, _value: Any) -> None:
    """A password needs a console; it goes into its slot there at the last moment: see `secret_slots`."""
    if find_console(root) is None:
        add_console(root, "vnc", LOOPBACK)


def _password_effect(_old: Any, _new: Any, observed: LoweredVirtualMachine) -> Effect:
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


def _option(inner: Field) -> Field:
    """Of the console that a document means what a field says of any."""

    def get(root: Element) -> Any:
        console = find_console(root)
        return None if console is None else inner.read(console)

    def put(root: Element, value: Any) -> None:
        if (console := find_console(root)) is not None:
            inner.write(console, value)

    return replace(inner, name=f"graphics/{inner.name}", path="", get=get, put=put, of=None, listed=None, unsaid=False)


@dataclass(frozen=True, slots=True)
class _Others(Elements):
    """All consoles but the one that `graphics` is about."""

    def hold(self, element: Element) -> bool:
        """Whether an element is one of them."""
        devices = element.getparent()
        first = None if devices is None else next((each for each in devices if is_console(each)), None)
        return element is not first


def _more_graphics() -> Bind:
    found = bound(SPEC, "moreGraphics")
    if not isinstance(found, Items) or found.listed is None:
        raise TypeError("further consoles are a list")
    others, made = _Others("devices", "graphics"), found.build

    def build(item: Item) -> Element:
        console = made(item)
        if is_console(console) and not {"port", "tlsPort", "socket"} & item.keys():
            console.set("autoport", "yes")
        return console

    return replace(found, build=build, elements=others.of, listed=replace(found.listed, elements=others))


PASSWORD = bind("graphics/passwordFrom", get=_password, put=_make_slot, effect_in=_password_effect)
VALID_TO = bind("graphics/passwordValidTo", get=_valid_to, put=_put_valid_to, effect_in=_password_effect, missing=NEVER)

GRAPHICS = (
    bind(
        "graphics/type",
        get=_type,
        put=_put_type,
        bound=(
            # Whatever speaks through SPICE's own connection: the agent, folders, USB devices and cards of the viewer.
            bound_to({"spice"}, *(f"/devices/*[@type='{kind}']" for kind in ("spicevmc", "spiceport"))),
            bound_to({"spice"}, "/devices/audio[@type='spice']"),
        ),
    ),
    bind("graphics/listen", get=_listen, put=_put_listen, same=_same_address),
    PASSWORD,
    VALID_TO,
    *map(_option, completed(CONSOLE)),
)
MORE_GRAPHICS = _more_graphics()
