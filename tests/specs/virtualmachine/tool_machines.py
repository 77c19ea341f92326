"""Machines as other tools write them, and every change of one field that a document could ask of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.diff import Comparison
from specs.binding import Field, parse, patched, read, serialise, set_text_at
from specs.comparing import differences
from specs.effect import Change, Effect
from specs.reference import Ref
from specs.registry import kinds
from specs.virtualmachine import xml
from specs.virtualmachine.model import check_cpus, check_memory

FOLDER = Path(__file__).parent / "tools"
TOOLS = sorted(file.stem for file in FOLDER.glob("*.xml"))
SCHEMA = kinds()["VirtualMachine"].schema["properties"]["spec"]["properties"]
Lowered = dict[str, Any]


def machine(tool: str, name: str) -> str:
    """One tool's machine under another name."""
    root = parse((FOLDER / f"{tool}.xml").read_text())
    set_text_at(root, "name", name)
    set_text_at(root, "uuid", str(uuid.uuid4()))
    return serialise(root)


def observed(text: str) -> dict[str, Any]:
    """The spec that an XML amounts to."""
    return read(xml.BINDS, parse(text))


def values_of(field: Mapping[str, Any]) -> list[Any]:
    """Every value of an enumeration or a switch; none for other fields."""
    return list(field.get("enum") or ([True, False] if field.get("type") == "boolean" else []))


def changes(found: Mapping[str, Any]) -> Iterator[tuple[str, Lowered]]:
    """(what is changed, the lowered spec that declares it): every value of every field that says what kind of thing
    something is, and the sizes around those that the machine has.
    """
    names = {bind.name for bind in xml.BINDS if isinstance(bind, Field)}
    for name in ("cpuMode", "firmware", "serialConsole"):
        for value in values_of(SCHEMA[name]):
            assert name in names
            yield f"{name} {value}", {name: value}
    for value in values_of(kinds()["VirtualMachine"].schema["$defs"]["graphics"]["properties"]["type"]):
        yield f"graphics.type {value}", {"graphics": {"type": value}}
        if value != "none":
            yield f"graphics.listen {value}", {"graphics": {"type": value, "listen": "127.0.0.1"}}
    for value in ("kvm", "qemu"):
        yield f"domainType {value}", {"domainType": value}
    for value in ("pc", "q35", "pc-q35-7.2", "pc-i440fx-7.2"):
        yield f"machine {value}", {"machine": value}
    for value in (128, 512, 1536, 2048, 3072, 8192):
        yield f"memory {value}", {"memory": value}
        yield f"maximumMemory {value}", {"maximumMemory": value, "memory": 128}
    for value in (1, 2, 3, 4, 6):
        yield f"cpus {value}", {"cpus": value}
        yield f"maximumCpus {value}", {"maximumCpus": value, "cpus": 1}
    for sockets, cores in ((1, 2), (2, 2), (1, 3)):
        topology = {"sockets": sockets, "cores": cores, "threads": 1}
        yield f"cpuTopology {sockets}×{cores}", {"cpuTopology": topology, "cpus": sockets * cores}
    yield from device_changes(found)


def device_changes(found: Mapping[str, Any]) -> Iterator[tuple[str, Lowered]]:
    """As `changes`, of each of the machine's devices."""
    fields = SCHEMA["disks"]["items"]["properties"]
    for place, disk in enumerate(found["disks"]):
        item = {"source": disk["source"]}
        for field in ("bus", "readOnly", "format"):
            for value in values_of(fields[field]):
                yield f"disks/{place}.{field} {value}", {"disks": [{**item, field: value}]}
        yield f"disks/{place}.bootOrder", {"disks": [{**item, "bootOrder": 1}]}
    for place, drive in enumerate(found["cdroms"]):
        item = {"name": f"cdrom{place}", "source": drive["source"], "target": drive["target"]}
        for value in values_of(SCHEMA["cdroms"]["items"]["properties"]["bus"]):
            yield f"cdroms/{place}.bus {value}", {"cdroms": [{**drop(item, "target"), "bus": value}]}
        for source in ({}, {"file": "/srv/a.iso"}, {"dev": "/dev/sr0"}, {"url": "http://example.com/a.iso"}):
            yield f"cdroms/{place}.source {source}", {"cdroms": [{**item, "source": source}]}
        yield f"cdroms/{place}.bootOrder", {"cdroms": [{**item, "bootOrder": 1}]}
    for place, card in enumerate(found["interfaces"]):
        item = {"mac": card["mac"]}
        for kind, name in (("network", "default"), ("network", "lab"), ("bridge", "br0")):
            yield f"interfaces/{place}.{kind} {name}", {"interfaces": [{**item, kind: name}]}
        for model in ("virtio", "e1000", "e1000e", "rtl8139"):
            yield f"interfaces/{place}.model {model}", {"interfaces": [{**item, "model": model}]}
        for link in values_of(SCHEMA["interfaces"]["items"]["properties"]["link"]):
            yield f"interfaces/{place}.link {link}", {"interfaces": [{**item, "link": link}]}
        yield f"interfaces/{place}.bootOrder", {"interfaces": [{**item, "bootOrder": 1}]}


def drop(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


def merged(*specs: Lowered) -> Lowered:
    """Several changes in one document; of two of one list the later."""
    return {key: value for spec in specs for key, value in spec.items()}


def is_valid(lowered: Lowered) -> bool:
    """False for what validation refuses, offline."""
    orders = [item.get("bootOrder") for name in ("disks", "cdroms", "interfaces") for item in lowered.get(name, ())]
    places = [order for order in orders if order]
    broken = [*check_cpus(lowered), *check_memory(lowered)]
    return not broken and len(places) == len(set(places))


def compared(text: str, lowered: Lowered) -> Comparison:
    """The comparison that planning makes of a lowered spec with a definition."""
    from reconciler.planning.diff import compare_lowered

    seen = Observed(Ref("VirtualMachine", "web"), "", text)
    return compare_lowered(Resource(seen.ref, "", {}, "web.yaml", 1), seen, lowered)


def changed(text: str, lowered: Lowered) -> str:
    """The definition as planning would give it to libvirt: without what is refused."""
    return serialise(patched(xml.BINDS, parse(text), compared(text, lowered).lowered))


def left(text: str, lowered: Lowered) -> list[Change]:
    """What still differs."""
    return differences(xml.BINDS, lowered, observed(text))[0]


def refused(text: str, lowered: Lowered) -> dict[str, str]:
    """The sentence for each field that can't be changed."""
    found = compared(text, lowered).refused
    assert all(change.effect is Effect.FORBIDDEN for change in found)
    return {change.pointer: change.note for change in found}
