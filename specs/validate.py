"""Says everything that is wrong with documents: one by itself, and several together. Offline: no host is asked.

A document is checked against its kind's JSON Schema, then against the kind's own rules on whatever the schema found
nothing wrong with, so that all mistakes are told at once. What depends on templates having been expanded is checked
where that happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, ip_interface
from itertools import islice
from typing import Any

from specs import canonical
from specs.document import MAX_PROBLEMS, Document
from specs.problem import Problem
from specs.reference import NETWORK, STORAGE_POOL, TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.schema_errors import schema_errors

_SHOWN = 3  # others that a sentence names
_FOLDERS = frozenset({"dir", "kimchi-iso"})  # pools that are known by their folder alone


def validate(document: Document) -> list[Problem]:
    """Every mistake in one document, each at its place; at most MAX_PROBLEMS. Empty for a good one."""
    kind = kinds()[document.kind]
    found = list(islice(schema_errors(kind, document.body), MAX_PROBLEMS))
    spec = _sound_part(document.spec, [pointer for pointer, _ in found])
    found += [(f"/spec{pointer}", sentence) for pointer, sentence in kind.check(document.name, spec)]
    problems = (_problem(document, pointer, sentence) for pointer, sentence in found[:MAX_PROBLEMS])
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def validate_set(documents: Iterable[Document]) -> list[Problem]:
    """What is wrong with documents that each are good: two of one name, templates that lead nowhere, shared disks.

    Pools, volumes and networks that aren't among them may be on the host already, and are no mistake.
    """
    everything = list(documents)
    return [
        *_same_reference(everything),
        *_same_uid(everything),
        *_templates(everything),
        *_shared_volumes(everything),
        *_shared_macs(everything),
        *_shared_addresses(everything),
        *_shared_subnets(everything),
        *_shared_folders(everything),
    ]


def _problem(document: Document, pointer: str, sentence: str) -> Problem:
    return Problem(document.path, *document.locate(pointer), sentence, pointer, document.ref)


def _sound_part(spec: Mapping[str, Any], broken: list[str]) -> Mapping[str, Any]:
    """The spec without the fields that the schema refused: the rules may rely on the shape of what they get."""
    if not broken:
        return spec
    fields = {pointer.split("/")[2] for pointer in broken if pointer.startswith("/spec/")}
    return {key: value for key, value in spec.items() if key not in fields and value is not None}


def _places(documents: Iterable[Document], but: Document) -> str:
    return ", ".join(f"{other.path}:{other.line}" for other in documents if other is not but)


def _same_reference(documents: list[Document]) -> Iterator[Problem]:
    by_ref: dict[Ref, list[Document]] = defaultdict(list)
    for document in documents:
        by_ref[document.ref].append(document)
    for ref, same in by_ref.items():
        for document in same if len(same) > 1 else ():
            sentence = f"{ref} is declared more than once, also at {_places(same, document)}; rename or remove one."
            yield _problem(document, "/metadata/name", sentence)


def _same_uid(documents: list[Document]) -> Iterator[Problem]:
    by_uid: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document.uid:
            by_uid[canonical.uid(document.uid)].append(document)
    for same in by_uid.values():
        for document in same if len({document.ref for document in same}) > 1 else ():
            sentence = (
                f"This uid is used more than once, also at {_places(same, document)}; give each document its own."
            )
            yield _problem(document, "/metadata/uid", sentence)


def _templates(documents: list[Document]) -> Iterator[Problem]:
    """Templates that don't exist, and templates that extend themselves."""
    parents = {document.name: document.spec.get("template") for document in documents if document.kind == TEMPLATE}
    for document in documents:
        wanted = document.spec.get("template")
        if wanted is None or document.kind not in (TEMPLATE, VIRTUAL_MACHINE):
            continue
        if wanted not in parents:
            sentence = f"There is no Template `{wanted}`; add its document, or correct the name."
            yield _problem(document, "/spec/template", sentence)
        elif document.kind == TEMPLATE and (cycle := _cycle(document.name, parents)):
            sentence = (
                f"These templates extend each other in a circle: {' → '.join(cycle)}; remove `template` from one."
            )
            yield _problem(document, "/spec/template", sentence)


def _cycle(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """The way from a template back to itself; empty when there is none."""
    way = [name]
    seen = {name}
    while (parent := parents.get(way[-1])) is not None:
        way.append(parent)
        if parent == name:
            return way
        if parent in seen:
            return []  # a circle further up, which is told of those templates
        seen.add(parent)
    return []


def _shared_volumes(documents: list[Document]) -> Iterator[Problem]:
    """Volumes that several VMs have as a disk while one of them may write: that destroys a file system."""
    users: dict[Ref, list[tuple[Document, str, bool]]] = defaultdict(list)
    for document in documents:
        if document.kind == VIRTUAL_MACHINE:
            for index, disk in enumerate(document.spec.get("disks", ())):
                if "volume" in disk:
                    volume = Ref.volume_named(disk["volume"], disk.get("pool", "default"))
                    users[volume].append((document, f"/spec/disks/{index}/volume", not disk.get("readOnly", False)))
    for volume, uses in users.items():
        machines = {document.ref for document, _, _ in uses}
        if len(machines) < 2 or not any(writes for _, _, writes in uses):
            continue
        for document, pointer, _ in uses:
            others = _places((other for other, _, _ in uses), document)
            sentence = (
                f"The volume {volume.name} is a disk of another machine too, at {others}, and two writers destroy it; "
                "give each machine its own, or set `readOnly: true` in all of them."
            )
            yield _problem(document, pointer, sentence)


def _shared_macs(documents: list[Document]) -> Iterator[Problem]:
    users: dict[str, list[tuple[Document, str]]] = defaultdict(list)
    for document in documents:
        if document.kind == VIRTUAL_MACHINE:
            for index, interface in enumerate(document.spec.get("interfaces", ())):
                if "mac" in interface:
                    users[canonical.mac(interface["mac"])].append((document, f"/spec/interfaces/{index}/mac"))
    for mac, uses in users.items():
        for document, pointer in uses if len({document.ref for document, _ in uses}) > 1 else ():
            others = _places((other for other, _ in uses), document)
            yield _problem(
                document, pointer, f"The MAC address {mac} is used at {others} too; give each interface its own."
            )


def _shared_addresses(documents: list[Document]) -> Iterator[Problem]:
    """Addresses that several machines have on one network or bridge, however each of them is spelled."""
    users: dict[tuple[str, ...], list[tuple[Document, str]]] = defaultdict(list)
    for document in documents:
        interfaces = document.spec.get("interfaces", ()) if document.kind == VIRTUAL_MACHINE else ()
        for index, interface in enumerate(interfaces):
            for position, text in enumerate(interface.get("addresses", ())):
                where = (interface.get("network", ""), interface.get("bridge", ""))
                pointer = f"/spec/interfaces/{index}/addresses/{position}"
                users[(*where, str(ip_interface(text).ip))].append((document, pointer))
    for (*_, address), uses in users.items():
        for document, pointer in uses if len({document.ref for document, _ in uses}) > 1 else ():
            others = _places((other for other, _ in uses), document)
            yield _problem(document, pointer, f"The address {address} is used at {others} too; give each its own.")


def _shared_subnets(documents: list[Document]) -> Iterator[Problem]:
    """Networks that can't run beside each other: the host has one way to an address. One that is stopped is on none."""
    running = (
        (IPv4Network(document.spec["subnet"], strict=False), document.ref, document)
        for document in documents
        if document.kind == NETWORK and "subnet" in document.spec and document.spec.get("active", True)
    )
    subnets = sorted(running, key=lambda each: each[:2])
    # Subnets lie in each other or apart, and a larger one is sorted before what lies in it: a stack holds those around.
    around: list[Document] = []
    clashes: dict[Ref, list[Document]] = defaultdict(list)
    for subnet, ref, document in subnets:
        while around and not IPv4Network(around[-1].spec["subnet"], strict=False).overlaps(subnet):
            around.pop()
        if around:
            clashes[ref].append(around[-1])
            clashes[around[-1].ref].append(document)
        around.append(document)
    for _, ref, document in subnets:
        others = [f"{other.ref} at {other.path}:{other.line}" for other in clashes[ref]]
        if others:
            where = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
            sentence = (
                f"This subnet overlaps that of {where}, and libvirt runs one network for an address; give each its "
                "own, or write `active: false` in all but one."
            )
            yield _problem(document, "/spec/subnet", sentence)


def _shared_folders(documents: list[Document]) -> Iterator[Problem]:
    """Pools over one folder: libvirt refuses the second, and each would call the other's volumes its own."""
    pools: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        if document.kind == STORAGE_POOL and document.spec.get("type") in _FOLDERS and "path" in document.spec:
            pools[canonical.path(document.spec["path"])].append(document)
    for folder, same in pools.items():
        for document in same if len({document.ref for document in same}) > 1 else ():
            sentence = f"{folder} is the folder of another pool too, at {_places(same, document)}; choose another."
            yield _problem(document, "/spec/path", sentence)
