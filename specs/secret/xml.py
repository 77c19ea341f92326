"""A Secret in libvirt's XML: its binds, and what a new one starts with. Its value is never in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from specs.binding import Bind, Element, Field, child_at
from specs.carried import carried
from specs.declared_binds import binder, complete
from specs.effect import Effect
from specs.host import Host
from specs.secret.fields import SPEC
from specs.secret.naming import described, id_path, usage_of

if TYPE_CHECKING:
    from specs.secret.spec import LoweredSecret, SecretSpec, Usage

bind = binder(SPEC)


def lower(declared: SecretSpec, *, name: str, uid: str, host: Host) -> LoweredSecret:  # noqa: ARG001  (every kind's signature)
    """With what it is for, and in its description the name where nothing else tells it."""
    lowered: LoweredSecret = carried(SPEC, declared)
    usage: Usage | None = declared.get("usage")
    if usage is not None:
        lowered["usage"] = {"type": usage["type"], "id": usage.get("id", name)}
    text = described(declared.get("description", ""), name, (usage.get("id", name) if usage else "", uid))
    if text or "description" in declared:
        lowered["description"] = text
    return lowered


def skeleton(lowered: LoweredSecret, *, name: str, uid: str, host: Host) -> Element:  # noqa: ARG001  (every kind's signature)
    """A new secret: kept over restarts, and not private, as libvirt has it."""
    root = etree.Element("secret", {"ephemeral": "no", "private": "no"})
    etree.SubElement(root, "uuid").text = uid
    return root


def _put_type(root: Element, kind: str) -> None:
    child_at(root, "usage").set("type", kind)


def _put_id(root: Element, identifier: str) -> None:
    child_at(root, id_path(usage_of(root)[0])).text = identifier


def _private(old: bool | None, new: bool) -> Effect:
    """libvirt never tells again what it was told to keep for itself."""
    return Effect.FORBIDDEN if old and not new else Effect.LIVE


BINDS: tuple[Bind, ...] = complete(
    SPEC,
    (
        Field("usage/type", get=lambda root: usage_of(root)[0] or None, put=_put_type, effect=Effect.FORBIDDEN),
        Field("usage/id", get=lambda root: usage_of(root)[1] or None, put=_put_id, effect=Effect.FORBIDDEN),
        bind("description", "description", missing=""),
        bind("private", "@private", effect=_private),
    ),
)
