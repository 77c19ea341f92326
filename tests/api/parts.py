"""Machines, volumes and documents for the tests of what belongs to a machine, on the test driver's shared host."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest
import yaml

from tests.api.live import LiveApi

POOL = "lab"
FOLDER = "/lab"


def define(hand: libvirt.virConnect, name: str = "byhand", devices: str = "", *, start: bool = False) -> None:
    """A machine that somebody makes at virsh."""
    domain = hand.defineXML(
        f"<domain type='test'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
        f"<devices>{devices}</devices></domain>"
    )
    if start:
        domain.create()


def disk_xml(path: str, target: str, form: str = "qcow2", bus: str = "virtio", device: str = "disk") -> str:
    source = f"<source file='{path}'/>" if path else ""
    return (
        f"<disk type='file' device='{device}'><driver name='qemu' type='{form}'/>{source}"
        f"<target dev='{target}' bus='{bus}'/></disk>"
    )


def document(api: LiveApi, name: str) -> dict[str, Any]:
    """A machine's document, as it is committed."""
    found: dict[str, Any] = yaml.safe_load(api.text(f"vms/{name}.yaml"))
    return found


def declare(api: LiveApi, name: str, spec: str) -> None:
    """Commit a machine's document by hand, and wait until the host is as it says."""
    text = f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: {name}\nspec:\n{spec}"
    api.repository.commit({f"vms/{name}.yaml": text}, f"Write {name}")
    sequence = api.agent.queue.source_changed()
    there = api.agent.passes.wait(lambda world: world.sequence >= sequence and is_at_rest(world), 30)
    assert there is not None, f"{name} doesn't come true"


def is_at_rest(world: Any) -> bool:
    """True when nothing is left to do, but for what a person has to say yes to."""
    return not world.plan.steps and all(item.part for item in world.plan.blocked) and not world.busy


@pytest.fixture
def pool(hand: libvirt.virConnect) -> libvirt.virStoragePool:
    """An active pool with the volumes root.qcow2, data.qcow2, spare.qcow2, debian.iso and fedora.iso."""
    made = hand.storagePoolDefineXML(
        f"<pool type='dir'><name>{POOL}</name><target><path>{FOLDER}</path></target></pool>"
    )
    made.create()
    for name, form in (
        ("root.qcow2", "qcow2"), ("data.qcow2", "qcow2"), ("spare.qcow2", "qcow2"), ("debian.iso", "iso"),
        ("fedora.iso", "iso"),
    ):  # fmt: skip
        made.createXML(
            f"<volume><name>{name}</name><capacity>1048576</capacity>"
            f"<target><path>{FOLDER}/{name}</path><format type='{form}'/></target></volume>"
        )
    return made
