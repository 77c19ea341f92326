"""The published table of effects (docs/effects.md) is true: each field is changed on a running machine of QEMU's."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specs.declared import declared_at, placed
from specs.effect import Effect
from specs.effects import field_effects
from specs.registry import kinds
from tests.lab.libvirtd import HostObjects
from tests.lab.live_fields import is_shown, shown_live
from tests.lab.repositories import Repository
from tests.laws.samples import values
from tests.laws.test_live_fields import EXCEPTED
from tests.stories.live_guest import LiveGuest, networks
from tests.stories.waiting_together import TOGETHER, leaves, said

# What is about power, people, loss or the API, is in the seed, isn't in the machine's XML, or changes another object's.
ELSEWHERE = frozenset(
    {
        "osDistro", "osVersion", "icon", "access.users", "access.groups", "runStrategy", "paused", "autostart",
        "restartPolicy", "shutdownTimeout", "forceStop", "hostDevices", "hostDevices.device", "domainType",
        "cloudInit.userData", "cloudInit.metaData", "cloudInit.networkConfig", "cloudInit.pool",
        "cloudInit.instanceIdPolicy", "cloudInit.user", "cloudInit.sshKeys", "cloudInit.hostname", "cloudInit.bus",
        "interfaces.addresses", "interfaces.gateways", "interfaces.nameservers", "disks.onLoss", "disks.format",
        "disks.pool", "disks.base", "interfaces.bridge", "cdroms.url", "arch", "nvram.path",
        "loader.path", "loader.type", "loader.readonly",
    }
)  # fmt: skip

# What a new machine is so already.
SHOWN = shown_live()  # in a running machine, by tests of their own
PLAIN = frozenset({"/features/acpi", "/features/apic"})
GROUPS = ("disks", "cdroms", "interfaces", "graphics")


@pytest.fixture
def guest(imageless_guest: LiveGuest, tmp_path: Path, host_objects: HostObjects) -> LiveGuest:
    """A machine that starts with stopped CPUs, with one of everything."""
    secret = tmp_path / "secret"
    secret.write_text("p4ssword")
    imageless_guest.spec |= {
        "memory": 64,
        "cpus": 1,
        "maximumCpus": 4,
        "paused": True,
        "disks": [{"name": "root", "size": "16MiB", "pool": imageless_guest.pool}],
        "cdroms": [{"name": "cd"}],
        "interfaces": [{"name": "lan", "network": host_objects.name("one")}],
        "graphics": {"passwordFrom": {"file": str(secret)}},
    }
    return imageless_guest


def cases(guest: LiveGuest, folder: Path) -> Iterator[tuple[str, dict[str, Any], Effect]]:
    """(field, an edit of it, when it comes true). Each starts from the fixture's document."""
    live, boot = Effect.LIVE, Effect.NEXT_BOOT
    (root,), (lan,), medium = guest.spec["disks"], guest.spec["interfaces"], folder / "medium.iso"
    medium.write_bytes(b"\0" * 4096)
    volume = f"{guest.pool}/spare.img"
    guest.connection.storagePoolLookupByName(guest.pool).createXML(
        "<volume><name>spare.img</name><capacity>4096</capacity><target><format type='raw'/></target></volume>"
    )
    graphics = guest.spec["graphics"]
    yield "title", {"title": "x"}, live
    yield "description", {"description": "x"}, live
    yield "cpus", {"cpus": 2}, live
    yield "maximumCpus", {"maximumCpus": 6}, boot
    yield "cpuTopology", {"cpuTopology": {"sockets": 2, "cores": 2, "threads": 1}}, boot
    yield "cpuMode", {"cpuMode": "default"}, boot
    yield "memory", {"memory": 80}, boot
    yield "maximumMemory", {"maximumMemory": 256}, boot
    for bus, effect in (("virtio", live), ("scsi", live), ("usb", live), ("sata", boot)):
        yield "disks", {"disks": [root, {"name": "more", "volume": volume, "bus": bus}]}, effect
    yield "disks.bus", {"disks": [{**root, "bus": "sata"}]}, boot
    yield "disks.bootOrder", {"disks": [{**root, "bootOrder": 2}]}, boot
    yield "disks.target", {"disks": [{**root, "target": "vdx"}]}, boot
    yield "disks.readOnly", {"disks": [{**root, "readOnly": True}]}, boot
    for key, value in {"bytesPerSecond": "1MiB", "readBytesPerSecond": 4096, "writeBytesPerSecond": 4096}.items():
        yield f"disks.ioLimits.{key}", {"disks": [{**root, "ioLimits": {key: value}}]}, live
    for key in ("iops", "readIops", "writeIops"):
        yield f"disks.ioLimits.{key}", {"disks": [{**root, "ioLimits": {key: 100}}]}, live
    yield "cdroms", {"cdroms": [{"name": "cd"}, {"name": "second"}]}, boot
    yield "cdroms", {"cdroms": [{"name": "cd"}, {"name": "second", "bus": "scsi"}]}, boot
    yield "cdroms", {"cdroms": [{"name": "cd"}, {"name": "second", "bus": "scsi", "path": str(medium)}]}, live
    yield "cdroms.path", {"cdroms": [{"name": "cd", "path": str(medium)}]}, live
    yield "cdroms.volume", {"cdroms": [{"name": "cd", "volume": volume}]}, live
    yield "cdroms.bus", {"cdroms": [{"name": "cd", "bus": "scsi"}]}, boot
    yield "cdroms.bootOrder", {"cdroms": [{"name": "cd", "bootOrder": 3}]}, boot
    yield "cdroms.target", {"cdroms": [{"name": "cd", "target": "sdx"}]}, boot
    yield "interfaces", {"interfaces": [lan, {"name": "more", "network": lan["network"]}]}, live
    yield "interfaces.network", {"interfaces": [{**lan, "network": guest.objects.name("two")}]}, live
    yield "interfaces.link", {"interfaces": [{**lan, "link": "down"}]}, live
    yield "interfaces.model", {"interfaces": [{**lan, "model": "e1000e"}]}, boot
    yield "interfaces.bootOrder", {"interfaces": [{**lan, "bootOrder": 4}]}, boot
    yield "graphics.passwordFrom", {"graphics": graphics, "title": "so that it is put in again"}, live
    yield "graphics.passwordValidTo", {"graphics": {**graphics, "passwordValidTo": "2090-01-01T00:00:00Z"}}, live
    yield "graphics.listen", {"graphics": {**graphics, "listen": "127.0.0.2"}}, boot
    yield "graphics.type", {"graphics": {"type": "none"}}, boot
    yield "firmware", {"firmware": "uefi"}, boot
    yield "bootMenu", {"bootMenu": True}, boot
    yield "bootDevices", {"bootDevices": ["network", "hd"]}, boot
    yield "machine", {"machine": "pc-q35-7.1"}, boot
    yield "serialConsole", {"serialConsole": False}, boot
    yield from at_paths(tried=("title", "description", "bootMenu"))
    yield "disks.size", {"disks": [{**root, "size": "32MiB"}]}, live  # the last, for a volume isn't shrunk again


def at_paths(tried: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any], Effect]]:
    """Cases of the other live fields that a path in the definition says, made up from their declarations."""
    spec = kinds()["VirtualMachine"].declarations.SPEC
    for name, field in placed(spec):
        if name not in tried and field.effect is not Effect.NEXT_BOOT and not is_shown(spec, name, SHOWN):
            *way, last = name.split("/")
            edit = {last: values(name, field)[-1 if "default" in field.keywords else 0]}
            for depth in range(len(way), 0, -1):
                holder = declared_at(spec, "/".join(way[:depth]))
                needed = {key: values(key, holder[key])[0] for key in holder.keywords.get("required", ())}
                edit = {way[depth - 1]: needed | edit}
            yield name.replace("/", "."), edit, field.effect


def group_of(field: str) -> str:
    """What a field is about: one of the lists of devices, the console, or the machine itself."""
    first = field.partition(".")[0]
    return first if first in GROUPS else "machine"


@pytest.mark.parametrize("group", ["machine", *GROUPS])
def test_the_table_of_effects_is_true(
    group: str,
    guest: LiveGuest,
    repository: Repository,
    host_objects: HostObjects,
    free_subnet: ipaddress.IPv4Network,
    dir_pool_folder: Path,
) -> None:
    repository.commit(networks(host_objects, free_subnet))
    guest.begin()
    effects = field_effects(kinds()["VirtualMachine"])
    table = {told.field: told.effect for told in effects if group_of(told.field) == group}
    tried = {"interfaces.mac"}  # another address is another card: one comes and one goes, both live
    start = dict(guest.spec)
    for field, edit, effect in [case for case in cases(guest, dir_pool_folder) if group_of(case[0]) == group]:
        assert table[field] in (effect, None), field
        before = guest.live()
        done = guest.apply(**edit)
        waits = [change.pointer for item in done.remaining.waiting for change in item.changes]
        assert bool(waits) == (effect is Effect.NEXT_BOOT), (field, waits)
        if effect is Effect.NEXT_BOOT:
            assert len(guest.live().findall("devices/*")) == len(before.findall("devices/*")), field
        tried.add(field)
        if effect is Effect.NEXT_BOOT or field in ("disks", "cdroms", "interfaces"):
            _begin_again(guest, start)  # to let go of a device is the guest's part, and this one stands still
        elif field != "disks.size":
            guest.apply(**{name: start.get(name) for name in edit})
    for edit in TOGETHER if group == "machine" else ():
        done = guest.apply(**edit)
        waits = [change.pointer for item in done.remaining.waiting for change in item.changes]
        assert set(said(edit)) <= {*waits, *PLAIN}
        assert waits
        tried.update(leaves(edit))
        _begin_again(guest, start)
    spec = kinds()["VirtualMachine"].declarations.SPEC
    shown = {field for field in table if is_shown(spec, field.replace(".", "/"), {*SHOWN, *EXCEPTED})}
    # That a change waits is held for each field by `test_a_change_costs_what_its_declaration_says`.
    assert {field for field, effect in table.items() if effect is not Effect.NEXT_BOOT} <= tried | ELSEWHERE | shown


def _begin_again(guest: LiveGuest, start: dict[str, Any]) -> None:
    """The first document on a machine that was just started, and of which nothing is left from before."""
    guest.forget()
    guest.spec = dict(start)
    guest.begin()
