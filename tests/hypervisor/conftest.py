"""What the tests of the observed side share: a hypervisor to observe and to change, and the XML of small objects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.hypervisor import Hypervisor
from reconciler.network.addresses import Networks
from reconciler.planning.operations import CreateVolume, Define, Start
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.lab.libvirtd import HostObjects


@pytest.fixture
def test_host(private_test_uri: str) -> Iterator[Hypervisor]:
    """A private host of the test driver, without objects."""
    hypervisor = Hypervisor.open(private_test_uri)
    yield hypervisor
    hypervisor.close()


@pytest.fixture
def qemu_host(qemu_system: str) -> Iterator[Hypervisor]:
    """The real host, for which images may come from this machine."""
    hypervisor = Hypervisor.open(qemu_system, networks=Networks.of(["127.0.0.0/8"]))
    yield hypervisor
    hypervisor.close()


@dataclass(frozen=True)
class Made:
    """A named object that a test defines."""

    ref: Ref
    uid: str
    xml: str

    @property
    def define(self) -> Define:
        return Define(self.ref, self.uid, self.xml)


def machine(name: str, *, kind: str = "qemu", devices: str = "", memory_mib: int = 32, top: str = "") -> Made:
    """A small machine that boots nothing."""
    uid = str(uuid.uuid4())
    arch = "" if kind == "test" else " arch='x86_64' machine='pc'"
    xml = f"""<domain type='{kind}'><name>{name}</name><uuid>{uid}</uuid>{top}<memory unit='MiB'>{memory_mib}</memory>
      <os><type{arch}>hvm</type></os><devices>{devices}</devices></domain>"""
    return Made(Ref(VIRTUAL_MACHINE, name), uid, xml)


def folder_pool(name: str, folder: Path) -> Made:
    """A pool of files."""
    uid = str(uuid.uuid4())
    xml = f"<pool type='dir'><name>{name}</name><uuid>{uid}</uuid><target><path>{folder}</path></target></pool>"
    return Made(Ref(STORAGE_POOL, name), uid, xml)


def empty_volume(pool: str, name: str, *, gib: int = 1, form: str = "qcow2", base: str = "") -> CreateVolume:
    """A new volume without data."""
    xml = f"""<volume><name>{name}</name><capacity>{gib << 30}</capacity><allocation>0</allocation>
      <target><format type='{form}'/></target>{base}</volume>"""
    return CreateVolume(Ref.volume(pool, name), xml)


@pytest.fixture
def pool(qemu_host: Hypervisor, host_objects: HostObjects, dir_pool_folder: Path) -> str:
    """The name of an active pool of files on the real host."""
    made = folder_pool(host_objects.name("pool"), dir_pool_folder)
    qemu_host.perform(made.define)
    qemu_host.perform(Start(made.ref))
    return made.ref.name


@pytest.fixture
def paused_machine(qemu_host: Hypervisor, host_objects: HostObjects) -> Callable[..., Made]:
    """Makes machines on the real host and starts them with stopped CPUs, so that none burns a core."""

    def make(word: str, devices: str = "", **more: object) -> Made:
        made = machine(host_objects.name(word), devices=devices, **more)  # type: ignore[arg-type]
        qemu_host.perform(made.define)
        qemu_host.perform(Start(made.ref, paused=True))
        return made

    return make
