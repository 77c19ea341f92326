"""The mark of ownership inside an object's XML: whose it is, and which of its list items were declared.

libvirt keeps `<metadata>` for domains; for pools, networks and volumes the derived UUID and the ledger stand in for it.
No declared value is stored, only names: a copy of the spec there could carry what isn't meant for every reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specs.scope import Scope

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "https://onggi.dev/xmlns/origin/1"


@dataclass(frozen=True, slots=True)
class Mark:
    """`name` is the document's; `managed` the pointers (`/disks/<label>`) of the list items that it declared.

    `branch` and `path` say where in the repository it is; marks of earlier versions don't.
    """

    repository_id: str
    name: str
    managed: frozenset[str] = frozenset()
    branch: str = ""
    path: str | None = None

    @property
    def scope(self) -> Scope:
        """Where the document is."""
        return Scope(self.repository_id, self.branch, self.path)

    def says(self, other: Mark) -> bool:
        """True when this mark, found on the host, needn't be written anew to be `other`."""
        same = self.name == other.name and self.managed == other.managed
        return same and self.scope.agrees(other.scope)


def mark_of(scope: Scope, name: str, managed: frozenset[str] = frozenset()) -> Mark:
    """The mark of a document of `scope`."""
    return Mark(scope.repository_id, name, managed, scope.branch, scope.path)


def read_mark(root: Element) -> Mark | None:
    """The mark in an object's XML; None when there is none."""
    origin = root.find(f"metadata/{{{NAMESPACE}}}origin")
    if origin is None:
        return None
    managed = (item.get("pointer") or "" for item in origin.findall(f"{{{NAMESPACE}}}managed"))
    return Mark(
        repository_id=origin.get("repository") or "",
        name=origin.get("name") or "",
        managed=frozenset(filter(None, managed)),
        branch=origin.get("branch") or "",
        path=origin.get("path"),
    )


def write_mark(root: Element, mark: Mark) -> None:
    """Put the mark into an object's XML in place of an older one; other tools' metadata stays."""
    from lxml import etree

    metadata = root.find("metadata")
    if metadata is None:
        metadata = etree.SubElement(root, "metadata")
    for old in metadata.findall(f"{{{NAMESPACE}}}origin"):
        metadata.remove(old)
    metadata.append(mark_element(mark))


def mark_element(mark: Mark, *, namespace: str = NAMESPACE) -> Element:
    """The mark as an element by itself. Without a namespace it is as libvirt takes it, which adds its own."""
    from lxml import etree

    prefix = f"{{{namespace}}}" if namespace else ""
    origin = etree.Element(f"{prefix}origin", nsmap={"onggi": namespace} if namespace else None)
    origin.set("repository", mark.repository_id)
    if mark.branch:
        origin.set("branch", mark.branch)
    if mark.path is not None:
        origin.set("path", mark.path)
    origin.set("name", mark.name)
    for pointer in sorted(mark.managed):
        etree.SubElement(origin, f"{prefix}managed").set("pointer", pointer)
    return origin
