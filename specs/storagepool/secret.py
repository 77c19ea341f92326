"""The libvirt secret that holds the password of a pool's iSCSI target.

libvirt hands it to the initiator itself, so the pool's XML only names it. Here are that name and the secret's
definition; its value, which the document's `passwordFrom` points to, is read and set by whoever talks to libvirt.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from lxml import etree

from specs.binding import child_at, serialise

if TYPE_CHECKING:
    from specs.storagepool.spec import SourceAuth

_NAMESPACE = uuid.UUID("6f0a5d0e-7f3f-4d0a-9a52-0d8f0c7f7c1e")  # any fixed one: equal names give equal UUIDs


def secret_usage(name: str) -> str:
    """What the secret of the pool `name` is for, by which the pool's XML finds it."""
    return f"onggi-{name}"


def auth_secret_xml(name: str, auth: SourceAuth) -> str:
    """The XML for virSecretDefineXML of the pool `name`, whose spec's `source.auth` is `auth`. Holds no password.

    Its UUID is always the same, so that defining it again changes it instead of failing.
    """
    root = etree.Element("secret", {"ephemeral": "no", "private": "yes"})
    etree.SubElement(root, "uuid").text = str(uuid.uuid5(_NAMESPACE, secret_usage(name)))
    etree.SubElement(root, "description").text = f"CHAP password of {auth['username']} for the storage pool {name}"
    etree.SubElement(root, "usage").set("type", "iscsi")
    child_at(root, "usage/target").text = secret_usage(name)
    return serialise(root)
