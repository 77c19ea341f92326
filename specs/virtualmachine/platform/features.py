"""The features of a machine that aren't one value at one place in libvirt's XML: switches with a number or a name."""

from __future__ import annotations

from typing import Any

from specs.binding import Element, child_at, drop_attributes, text_at
from specs.codecs import INTEGER, TEXT, Codec
from specs.declared_binds import binder
from specs.virtualmachine.fields import SPEC

bind = binder(SPEC)


def _valued(name: str, path: str, attribute: str, codec: Codec, off: Any) -> Any:
    """The bind of a switch that has `attribute` where it is on; `off` says that it isn't."""

    def get(root: Element) -> Any:
        state = text_at(root, f"{path}/@state")
        value = text_at(root, f"{path}/@{attribute}") if state == "on" else None
        return off if value is None else codec.decode(value)

    def put(root: Element, value: Any) -> None:
        found = child_at(root, path)
        if value == off:
            found.set("state", "off")
            drop_attributes(found, attribute)
        else:
            found.set("state", "on")
            found.set(attribute, codec.encode(value))

    return bind(name, get=get, put=put)


FEATURES = (
    _valued("features/hyperv/spinlocks", "features/hyperv/spinlocks", "retries", INTEGER, 0),
    _valued("features/hyperv/vendorId", "features/hyperv/vendor_id", "value", TEXT, ""),
    _valued("features/kvm/dirtyRing", "features/kvm/dirty-ring", "size", INTEGER, 0),
)
