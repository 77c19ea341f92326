"""Says everything that is wrong with documents: one by itself, and several together. Offline: no host is asked.

A document is checked against its kind's JSON Schema, then against the kind's own rules on whatever the schema found
nothing wrong with, so that all mistakes are told at once. What depends on templates having been expanded is checked
where that happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, ip_interface
from itertools import islice

from specs import canonical
from specs.document import MAX_PROBLEMS, Document
from specs.network import KIND as NETWORKS
from specs.plain import Spec
from specs.problem import Problem
from specs.reference import NETWORK, STORAGE_POOL, TEMPLATE, VIRTUAL_MACHINE, Ref
from specs.registry import kinds
from specs.schema_errors import schema_errors
from specs.storagepool import KIND as POOLS
from specs.storagepool.types import FOLDERS
from specs.template import KIND as TEMPLATES
from specs.virtualmachine import KIND as MACHINES

MAX_TEMPLATES = 32  # that extend each other
_SHOWN = 3  # others that a sentence names


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


def _sound_part(spec: Spec, broken: list[str]) -> Spec:
    """The spec without the fields that the schema refused: the rules may rely on the shape of what they get."""
    if not broken:
        return spec
    fields = {pointer.split("/")[2] for pointer in broken if pointer.startswith("/spec/")}
    return {key: value for key, value in spec.items() if key not in fields and value is not None}


def _places(documents: Sequence[Document], but: Document) -> str:
    """Where the others are. A few are named: a sentence for each of very many may not name all the others."""
    named = list(islice((f"{other.path}:{other.line}" for other in documents if other is not but), _SHOWN))
    more = len(documents) - len(named) - 1
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


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
    templates = [document for document in documents if document.kind == TEMPLATE]
    parents = {document.name: TEMPLATES.declared(document.spec).get("template") for document in templates}
    for document in documents:
        if document.kind not in (TEMPLATE, VIRTUAL_MACHINE):
            continue
        wanted = MACHINES.declared(document.spec).get("template")  # as a template says it too
        if wanted is None:
            continue
        if wanted not in parents:
            sentence = f"There is no Template `{wanted}`; add its document, or correct the name."
            yield _problem(document, "/spec/template", sentence)
        elif document.kind == TEMPLATE and (way := _way(document.name, parents)):
            circle = way[-1] == document.name
            sentence = (
                f"These templates extend each other in a circle: {' → '.join(way)}; remove `template` from one."
                if circle
                else f"This extends more than {MAX_TEMPLATES} templates one after the other; put some of them together."
            )
            yield _problem(document, "/spec/template", sentence)


def _way(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """The way from a template back to itself, or to more than there may be; empty when it ends before."""
    way = [name]
    while (parent := parents.get(way[-1])) is not None:
        way.append(parent)
        if parent == name or len(way) > MAX_TEMPLATES + 1:
            return way
        if parent in way[:-1]:
            return []  # a circle further up, which is told of those templates
    return []


def _shared_volumes(documents: list[Document]) -> Iterator[Problem]:
    """Volumes that several VMs have as a disk while one of them may write: that destroys a file system."""
    users: dict[Ref, list[tuple[Document, str, bool]]] = defaultdict(list)
    for document in documents:
        if document.kind == VIRTUAL_MACHINE:
            for index, disk in enumerate(MACHINES.declared(document.spec).get("disks", ())):
                if "volume" in disk:
                    volume = Ref.volume_named(disk["volume"], disk.get("pool", "default"))
                    users[volume].append((document, f"/spec/disks/{index}/volume", not disk.get("readOnly", False)))
    for volume, uses in users.items():
        machines = {document.ref for document, _, _ in uses}
        if len(machines) < 2 or not any(writes for _, _, writes in uses):
            continue
        users_of = [document for document, _, _ in uses]
        for document, pointer, _ in uses:
            others = _places(users_of, document)
            sentence = (
                f"The volume {volume.name} is a disk of another machine too, at {others}, and two writers destroy it; "
                "give each machine its own, or set `readOnly: true` in all of them."
            )
            yield _problem(document, pointer, sentence)


def _shared_macs(documents: list[Document]) -> Iterator[Problem]:
    users: dict[str, list[tuple[Document, str]]] = defaultdict(list)
    for document in documents:
        if document.kind == VIRTUAL_MACHINE:
            for index, interface in enumerate(MACHINES.declared(document.spec).get("interfaces", ())):
                if "mac" in interface:
                    users[canonical.mac(interface["mac"])].append((document, f"/spec/interfaces/{index}/mac"))
    for mac, uses in users.items():
        users_of = [document for document, _ in uses]
        for document, pointer in uses if len({document.ref for document in users_of}) > 1 else ():
            others = _places(users_of, document)
            yield _problem(
                document, pointer, f"The MAC address {mac} is used at {others} too; give each interface its own."
            )


def _shared_addresses(documents: list[Document]) -> Iterator[Problem]:
    """Addresses that several machines have on one network or bridge, however each of them is spelled."""
    users: dict[tuple[str, ...], list[tuple[Document, str]]] = defaultdict(list)
    for document in documents:
        interfaces = MACHINES.declared(document.spec).get("interfaces", ()) if document.kind == VIRTUAL_MACHINE else ()
        for index, interface in enumerate(interfaces):
            for position, text in enumerate(interface.get("addresses", ())):
                where = (interface.get("network", ""), interface.get("bridge", ""))
                pointer = f"/spec/interfaces/{index}/addresses/{position}"
                users[(*where, str(ip_interface(text).ip))].append((document, pointer))
    for (*_, address), uses in users.items():
        users_of = [document for document, _ in uses]
        for document, pointer in uses if len({document.ref for document in users_of}) > 1 else ():
            others = _places(users_of, document)
            yield _problem(document, pointer, f"The address {address} is used at {others} too; give each its own.")


def _shared_subnets(documents: list[Document]) -> Iterator[Problem]:
    """Networks that can't run beside each other: the host has one way to an address. One that is stopped is on none."""
    running = (
        (subnet, document.ref, document)
        for document in documents
        if document.kind == NETWORK and (subnet := _running_subnet(document.spec)) is not None
    )
    subnets = sorted(running, key=lambda each: each[:2])
    # Subnets lie in each other or apart, and a larger one is sorted before what lies in it: a stack holds those around.
    around: list[tuple[IPv4Network, Document]] = []
    clashes: dict[Ref, list[Document]] = defaultdict(list)
    for subnet, ref, document in subnets:
        while around and not around[-1][0].overlaps(subnet):
            around.pop()
        if around:
            outer = around[-1][1]
            clashes[ref].append(outer)
            clashes[outer.ref].append(document)
        around.append((subnet, document))
    for _, ref, document in subnets:
        others = [f"{other.ref} at {other.path}:{other.line}" for other in clashes[ref]]
        if others:
            where = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
            sentence = (
                f"This subnet overlaps that of {where}, and libvirt runs one network for an address; give each its "
                "own, or write `active: false` in all but one."
            )
            yield _problem(document, "/spec/subnet", sentence)


def _running_subnet(spec: Spec) -> IPv4Network | None:
    network = NETWORKS.declared(spec)
    if "subnet" not in network or not network.get("active", True):
        return None
    return IPv4Network(network["subnet"], strict=False)


def _shared_folders(documents: list[Document]) -> Iterator[Problem]:
    """Pools over one folder: libvirt refuses the second, and each would call the other's volumes its own."""
    pools: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        pool = POOLS.declared(document.spec)
        if document.kind == STORAGE_POOL and pool.get("type") in FOLDERS and "path" in pool:
            pools[canonical.path(pool["path"])].append(document)
    for folder, same in pools.items():
        for document in same if len({document.ref for document in same}) > 1 else ():
            sentence = f"{folder} is the folder of another pool too, at {_places(same, document)}; choose another."
            yield _problem(document, "/spec/path", sentence)
