"""All that a host, its folders and the ledger say, as one value: two worlds are the same or differ in named places."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import libvirt
from lxml import etree

from tests.lab.libvirtd import UNDEFINE_ALL

World = dict[str, str]

_NOT_OURS = frozenset({"test", "default", "default-pool"})  # what the test driver is born with
_DEEDS = frozenset({"created", "configured", "deleted"})
# What moves by itself, and what libvirt chooses for a network, once: see `chosen`.
_MOVES = (
    "allocation",
    "physical",
    "available",
    "target/timestamps",
    "backingStore/timestamps",
    "bridge",
    "mac[@address]",
)


def look(connection: libvirt.virConnect, folder: Path) -> World:
    """Each object under its name with all that is defined of it, and each file with its bytes' digest.

    Foreign objects are in it too: nothing may happen to them either.
    """
    found = Counter[str]()
    world: World = {}

    def add(name: str, value: str) -> None:
        found[name] += 1
        world[name if found[name] == 1 else f"{name} (again)"] = value

    for domain in connection.listAllDomains():
        config = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        power = f"state {domain.state()[0]} autostart {domain.autostart()}"
        add(f"VirtualMachine {domain.name()}", f"{power} drives {_drives(domain.XMLDesc())}\n{config}")
    for network in connection.listAllNetworks():
        power = f"active {network.isActive()} autostart {network.autostart()}"
        add(f"Network {network.name()}", f"{power}\n{_still(network.XMLDesc())}")
    for pool in connection.listAllStoragePools():
        power = f"active {pool.isActive()} autostart {pool.autostart()}"
        add(f"StoragePool {pool.name()}", f"{power}\n{_still(pool.XMLDesc(), 'capacity')}")
        if pool.isActive():
            pool.refresh()
            for volume in pool.listAllVolumes():
                add(f"StorageVolume {pool.name()}/{volume.name()}", _still(volume.XMLDesc()))
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"
        add(f"file {path.relative_to(folder)}", f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {digest}")
    return world


def chosen(connection: libvirt.virConnect) -> dict[str, tuple[str, str]]:
    """What libvirt chose for each network, once and for all: its bridge and its MAC."""
    found = {network.name(): etree.fromstring(network.XMLDesc()) for network in connection.listAllNetworks()}
    return {
        name: (root.xpath("string(bridge/@name)"), root.xpath("string(mac/@address)")) for name, root in found.items()
    }


def differences(found: World, expected: World) -> list[str]:
    """Where two worlds differ, in words; empty when nowhere."""
    return [
        f"{name}: found {found.get(name, 'nothing')}\nexpected {expected.get(name, 'nothing')}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


def clear(connection: libvirt.virConnect, folder: Path, keep: frozenset[str] = _NOT_OURS) -> None:
    """Back to the beginning, past onggi."""
    for domain in connection.listAllDomains():
        if domain.name() not in keep:
            with suppress(libvirt.libvirtError):
                domain.destroy()
            domain.undefineFlags(0 if connection.getType() == "TEST" else UNDEFINE_ALL)
    for each in (*connection.listAllStoragePools(), *connection.listAllNetworks()):
        if each.name() not in keep:
            if isinstance(each, libvirt.virStoragePool) and each.isActive():
                for volume in each.listAllVolumes():
                    volume.delete()
            with suppress(libvirt.libvirtError):
                each.destroy()
            each.undefine()
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def write_into(disks: list[Path]) -> None:
    """Put bytes into each disk as a guest would, for each another one."""
    commands: list[str] = []
    for number, disk in enumerate(disks, start=1):
        kind = "raw" if disk.suffix == ".img" else "qcow2"
        commands += ["-c", f"open -o driver={kind} {disk}", "-c", f"write -P {number} 128k 64k", "-c", "close"]
    done = subprocess.run(["qemu-io", *commands], capture_output=True, text=True)
    assert done.stdout.count("wrote 65536/65536") == len(disks), done.stdout + done.stderr


def unread(disks: list[Path]) -> list[str]:
    """The disks that have lost what `write_into` wrote."""
    lost = []
    for number, disk in enumerate(disks, start=1):
        if bytes([number]) * 65536 not in disk.read_bytes():
            lost.append(disk.name)
    return lost


def ledger(state: Path) -> dict[str, set[tuple[object, ...]]]:
    """What the ledger holds to go on with: everything but history."""
    with closing(sqlite3.connect(f"file:{state / 'onggi.db'}?mode=ro", uri=True)) as database:
        return {
            "owned": {_without_last_run(row) for row in database.execute("SELECT * FROM owned")},
            "intents": set(database.execute("SELECT * FROM intent")),
            "begun": set(database.execute("SELECT * FROM begun")),
        }


def _without_last_run(row: tuple[object, ...]) -> tuple[object, ...]:
    """How a machine ended is what libvirt says of it, and a libvirtd that was killed says `crashed`."""
    facts = json.loads(str(row[-1]))
    facts.pop("lastRun", None)
    return (*row[:-1], json.dumps(facts))


def history(state: Path) -> Counter[tuple[str, str]]:
    """How often each thing happened to each object, as told: ("created", "Network lan") and the like."""
    with closing(sqlite3.connect(f"file:{state / 'onggi.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT result, kind || ' ' || name, count FROM event")
        total = Counter[tuple[str, str]]()
        for result, name, count in rows:
            if result in _DEEDS:
                total[result, name] += count
        return total


def _drives(xml: str) -> list[str]:
    return [
        str(source.get("file") or source.get("volume"))
        for source in etree.fromstring(xml).iterfind("devices/disk/source")
    ]


def _still(xml: str, *more: str) -> str:
    root = etree.fromstring(xml)
    for path in (*_MOVES, *more):
        for element in root.findall(path):
            element.getparent().remove(element)
    return etree.tostring(root).decode()
