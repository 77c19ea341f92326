"""What is left of a world after somebody's requests, and what of it they may not have done: by a list of its own.

The list is short on purpose: who works with machines changes how they run, and nothing else of anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import libvirt
import yaml
from lxml import etree

from tests.fuzz.roles.world import Marked
from tests.lab.repositories import git

CHANGES_NOTHING: Final = frozenset({"nobody", "other", "viewer"})
_RUNNING: Final = (
    "title", "description", "memory", "maximumMemory", "cpus", "maximumCpus", "cpuTopology", "autostart", "runStrategy",
    "paused", "bootMenu", "bootDevices",
)  # fmt: skip
_OF_CONSOLES: Final = ("passwordFrom", "passwordValidTo")
_OF_DRIVES: Final = ("bootOrder", "path", "url", "volume", "pool", "image", "name")
_XML: Final = (
    "title", "description", "memory", "currentMemory", "vcpu", "cpu", "metadata", "os/boot", "os/bootmenu", "maxMemory",
    "devices/*/boot", "devices/disk[@device='cdrom']",
)  # fmt: skip


@dataclass
class Kept:
    """A world at one moment: the documents by kind and name, `host` for libvirt's objects."""

    head: str
    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # that hold no documents
    host: dict[tuple[str, str], str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    of_the_host: list[str] = field(default_factory=list)  # commands


def kept(world: Marked, before: Kept | None = None) -> Kept:
    """As it is now; what `before` has of the same commit isn't read again."""
    head = world.api.repository.head
    now = Kept(head, of_the_host=list(world.calls.made))
    if before is not None and before.head == head:
        now.documents, now.files = before.documents, before.files
    else:
        _read(world, now)
    now.host = dict(_objects(world.hand))
    folder = world.api.agent.settings.state / "secrets"
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file():
            now.secrets[str(file.relative_to(folder))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return now


def _read(world: Marked, now: Kept) -> None:
    for line in git(world.api.repository.path, "ls-tree", "-r", "HEAD").splitlines():
        identity, _, path = line.partition("\t")
        content = git(world.api.repository.path, "cat-file", "blob", identity.split()[2])
        if not path.endswith((".yaml", ".yml")):
            now.files[path] = content
            continue
        for document in yaml.safe_load_all(content):
            if document is not None:
                now.documents[document["kind"], document["metadata"]["name"]] = document


def _objects(hand: libvirt.virConnect) -> Iterator[tuple[tuple[str, str], str]]:
    for domain in hand.listAllDomains():
        name = domain.name()
        yield ("machine", name), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
        yield ("state", name), f"{domain.state()[0]}"
        yield ("snapshots", name), f"{sorted(each.getName() for each in domain.listAllSnapshots())}"
    for network in hand.listAllNetworks():
        yield ("network", network.name()), f"{network.isActive()} {network.autostart()} {network.XMLDesc()}"
    for pool in hand.listAllStoragePools():
        described = etree.fromstring(pool.XMLDesc())
        for counted in ("capacity", "allocation", "available"):
            for each in described.findall(counted):
                described.remove(each)
        yield ("pool", pool.name()), f"{pool.isActive()} {pool.autostart()} {etree.tostring(described).decode()}"
        for volume in pool.listAllVolumes() if pool.isActive() else ():
            yield ("volume", volume.name()), str(volume.info()[1])


def wronged(who: str, own: list[str], before: Kept, now: Kept) -> Iterator[str]:
    """What somebody has changed and may not have."""
    if who == "admin":
        return
    if now.of_the_host != before.of_the_host:
        yield f"ran {now.of_the_host}"
    if who in CHANGES_NOTHING:
        if now.head != before.head:
            yield f"committed {now.head}"
        if now.secrets != before.secrets:
            yield "kept or dropped a secret"
        yield from (f"changed {each} on the host" for each in _differing(before.host, now.host))
        return
    if now.files != before.files:
        yield "changed a file that is no document"
    theirs = set(own) if who == "user" else {name for kind, name in before.host if kind == "machine"}
    for key in _differing(before.documents, now.documents):
        yield from _of_document(who, key, before.documents.get(key), now.documents.get(key), theirs)
    for key in _differing(before.host, now.host):
        yield from _of_object(who, key, before.host.get(key), now.host.get(key), theirs)


def _differing(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> list[Any]:
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def _of_document(who: str, key: tuple[str, str], was: Any, now: Any, theirs: set[str]) -> Iterator[str]:
    kind, name = key
    if kind != "VirtualMachine" or name not in theirs:
        yield f"changed the document {kind}/{name}"
    elif now is None:
        if who != "user":
            yield f"removed the document {kind}/{name}"
    elif was is not None and _fixed(was) != _fixed(now):
        yield f"changed {kind}/{name} from {_fixed(was)} to {_fixed(now)}"


def _fixed(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is nobody's to change but an administrator's."""
    spec = {key: value for key, value in document["spec"].items() if key not in _RUNNING}
    spec["graphics"] = {key: value for key, value in (spec.get("graphics") or {}).items() if key not in _OF_CONSOLES}
    for lists in ("disks", "interfaces"):
        spec[lists] = [
            {key: value for key, value in each.items() if key != "bootOrder"} for each in spec.get(lists) or ()
        ]
    spec["cdroms"] = [
        {key: value for key, value in each.items() if key not in _OF_DRIVES} for each in spec.get("cdroms") or ()
    ]
    metadata = {key: value for key, value in document["metadata"].items() if key != "annotations"}
    return {"metadata": metadata, "spec": {key: value for key, value in spec.items() if value}}


def _of_object(who: str, key: tuple[str, str], was: str | None, now: str | None, theirs: set[str]) -> Iterator[str]:
    kind, name = key
    gone = now is None and who == "user"
    if kind == "volume":
        if not (gone and any(name.startswith(f"{each}-") for each in theirs)):
            yield f"changed the volume {name}"
    elif kind not in ("machine", "state", "snapshots") or name not in theirs:
        yield f"changed the {kind} {name} on the host"
    elif kind == "machine" and not gone and (was is None or now is None or _plain(was) != _plain(now)):
        yield f"changed the definition of {name} from {was} to {now}"


def _plain(xml: str) -> bytes:
    root = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    for path in _XML:
        for each in root.findall(path):
            parent = each.getparent()
            assert parent is not None
            parent.remove(each)
    for console in root.findall("devices/graphics"):
        for key in ("passwd", "passwdValidTo"):
            console.attrib.pop(key, None)
    return etree.tostring(root)
