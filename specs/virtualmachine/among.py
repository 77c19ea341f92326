"""What several machines may not have in common: a disk that one of them writes to, a MAC address, an address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from specs import canonical
from specs.among import Clash, Placed, places, several
from specs.reference import Ref
from specs.template.among import missing
from specs.virtualmachine.storage.named_sources import disk_name, writes_alone
from specs.virtualmachine.storage.source_fields import SOURCE_NAMES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

    Machines = Sequence[tuple[Placed, VirtualMachineSpec]]


def check_among(declared: Machines, known: Collection[Ref]) -> Iterator[Clash]:
    """The rules that hold between machines, and that their templates are there."""
    for document, spec in declared:
        wanted = spec.get("template")
        if wanted is not None and (sentence := missing(wanted, known)):
            yield document, "/spec/template", sentence
    yield from _shared_volumes(declared)
    yield from _shared_macs(declared)
    yield from _shared_addresses(declared)


def _shared_volumes(declared: Machines) -> Iterator[Clash]:
    """What several of them have as a disk while one may write: that destroys a file system."""
    users: dict[str, list[tuple[Placed, str, bool]]] = defaultdict(list)
    for document, spec in declared:
        for index, disk in enumerate(spec.get("disks", ())):
            key = next((name for name in SOURCE_NAMES if name in disk), "size")
            if key != "size":
                pool = disk.get("pool", "default")
                name = Ref.volume_named(disk["volume"], pool).name if key == "volume" else disk_name(disk)
                users[name].append((document, f"/spec/disks/{index}/{key}", writes_alone(disk)))
    for name, uses in users.items():
        users_of = [document for document, _, _ in uses]
        if not several(users_of) or not any(writes for _, _, writes in uses):
            continue
        for document, pointer, _ in uses:
            sentence = (
                f"{name} is a disk of another machine too, at {places(users_of, document)}, and two writers destroy "
                "it; give each machine its own, or set `readOnly: true` in all of them."
            )
            yield document, pointer, sentence


def _shared_macs(declared: Machines) -> Iterator[Clash]:
    users: dict[str, list[tuple[Placed, str]]] = defaultdict(list)
    for document, spec in declared:
        for index, interface in enumerate(spec.get("interfaces", ())):
            if "mac" in interface:
                users[canonical.mac(interface["mac"])].append((document, f"/spec/interfaces/{index}/mac"))
    for mac, uses in users.items():
        users_of = [document for document, _ in uses]
        for document, pointer in uses if several(users_of) else ():
            others = places(users_of, document)
            yield document, pointer, f"The MAC address {mac} is used at {others} too; give each interface its own."


def _shared_addresses(declared: Machines) -> Iterator[Clash]:
    """Addresses that several of them have on one network or bridge, however each of them is spelled."""
    users: dict[tuple[str, ...], list[tuple[Placed, str]]] = defaultdict(list)
    for document, spec in declared:
        for index, interface in enumerate(spec.get("interfaces", ())):
            for position, text in enumerate(interface.get("addresses", ())):
                where = (interface.get("network", ""), interface.get("bridge", ""))
                pointer = f"/spec/interfaces/{index}/addresses/{position}"
                users[(*where, str(ip_interface(text).ip))].append((document, pointer))
    for (*_, address), uses in users.items():
        users_of = [document for document, _ in uses]
        for document, pointer in uses if several(users_of) else ():
            others = places(users_of, document)
            yield document, pointer, f"The address {address} is used at {others} too; give each its own."
