"""As whom a disk's data is asked for, and how it is encrypted: below its source, or beside it in old definitions.

libvirt keeps it where it was said first, and takes it in one of the two places alone.
"""

from __future__ import annotations

from typing import Final

from specs.binding import Element, Field, child_at, drop_attributes, set_text_at, text_at
from specs.bound import never_beside
from specs.declared import Declared, place, placed
from specs.declared_binds import binder

_PARTS: Final = ("source/auth/", "source/encryption/")
_NAMES_SECRET: Final = "/secret/@"  # noqa: S105  # a part of a path
_OF_PROTOCOL: Final = {"rbd": "ceph", "iscsi": "iscsi"}


def source_binds(spec: Declared) -> tuple[Field, ...]:
    """The binds of `auth` and `encryption`."""
    bind = binder(spec)
    return tuple(bind(name, **_ways(place(field))) for name, field in placed(spec) if place(field).startswith(_PARTS))


def reservations(spec: Declared) -> Field:
    """The bind of `reservations`; those through a helper that somebody else starts are his."""

    def put(disk: Element, wanted: bool) -> None:
        if wanted:
            set_text_at(disk, "source/reservations/@managed", "yes")
        else:
            never_beside("source/reservations").leave(disk, None)

    return binder(spec)("reservations", put=put)


def _ways(path: str) -> dict[str, object]:
    beside = path.removeprefix("source/")
    part = beside.partition("/")[0]

    def get(disk: Element) -> str | None:
        found = text_at(disk, path)
        return text_at(disk, beside) if found is None else found

    def put(disk: Element, value: str) -> None:
        where = beside if disk.find(part) is not None and disk.find(f"source/{part}") is None else path
        if _NAMES_SECRET not in path:
            set_text_at(disk, where, value)
            return
        secret = child_at(disk, where.partition("/@")[0])
        drop_attributes(secret, "usage", "uuid")
        secret.set("type", _type(disk, part))
        set_text_at(disk, where, value)

    return {"get": get, "put": put}


def _type(disk: Element, part: str) -> str:
    """What kind of secret it is."""
    if part == "encryption":
        return "passphrase"
    return _OF_PROTOCOL.get(text_at(disk, "source/@protocol") or "", "iscsi")
