"""Mediated devices as libvirt's driver and mdevctl know them. None starts: that takes hardware that offers some."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import libvirt
import pytest

from reconciler.errors import OnggiError
from reconciler.exporting.export import export
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.mediateddevice.driver import DRIVER
from reconciler.line.line import Line
from reconciler.planning.operations import Define, SetAutostart, Start, Stop, Undefine
from reconciler.settings.settings import Settings
from specs.host import Host
from specs.mediateddevice import KIND
from specs.mediateddevice.model import check
from specs.reference import MEDIATED_DEVICE, Ref
from tests.lab.approving import converge_approved
from tests.lab.repositories import Repository
from tests.lab.secluded_libvirtd import SecludedLibvirtd
from tests.specs.rendering import UID, assert_at_rest, lowered, new_xml

REST = "apiVersion: onggi/v1\nkind: Template\nmetadata: {name: rest}\nspec: {}\n"


@pytest.fixture
def host(secluded_libvirtd: SecludedLibvirtd) -> Iterator[Hypervisor]:
    hypervisor = Hypervisor.open(secluded_libvirtd.uri)
    yield hypervisor
    hypervisor.close()


@pytest.fixture
def spec(secluded_libvirtd: SecludedLibvirtd) -> dict[str, object]:
    """Of a part of whatever PCI device this machine has."""
    connection = libvirt.open(secluded_libvirtd.uri)
    parent = connection.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV)[0].name()
    connection.close()
    attributes = [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}]
    return {"parent": parent, "type": "nvidia-11", "attributes": attributes}


@pytest.mark.qemu
def test_each_step_is_safe_to_perform_twice(host: Hypervisor, spec: dict[str, object]) -> None:
    uid = UID
    ref = Ref(MEDIATED_DEVICE, uid)
    concrete = lowered(KIND, spec, name=uid, host=Host())
    for _ in range(2):
        host.perform(Define(ref, uid, new_xml(KIND, concrete, name=uid, host=Host())))
    made = host.observe().objects[ref]
    assert_at_rest(KIND, concrete, made.xml)
    assert (made.active, made.autostart, made.persistent) == (False, False, True)
    for on in (True, True, False):
        host.perform(SetAutostart(ref, on=on))
        assert host.observe().objects[ref].autostart is on
    with pytest.raises(OnggiError, match="Unable to create mediated device"):
        host.perform(Start(ref))
    host.perform(Stop(ref))
    for _ in range(2):
        host.perform(Undefine(ref, uid))
        assert ref not in host.observe().objects, "libvirt has seen it go"


@pytest.mark.qemu
def test_one_is_made_as_declared_and_exported_and_leaves_with_its_document(
    secluded_libvirtd: SecludedLibvirtd, spec: dict[str, object], repository: Repository, tmp_path: Path
) -> None:
    uid = str(uuid.uuid4())
    body = {"apiVersion": "onggi/v1", "kind": "MediatedDevice", "metadata": {"name": uid}}
    declared = {**spec, "active": False, "autostart": True, "deletionPolicy": "Delete"}
    repository.commit({"gpu.yaml": json.dumps({**body, "spec": declared}), "rest.yaml": REST})
    settings = Settings(repository=str(repository.path), connect=secluded_libvirtd.uri, state=tmp_path / "s")
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        assert line.plan().empty
        (document,) = [each for each in export(line.observe(), str(uuid.uuid4())).documents if uid in each.text]
        assert f"parent: {spec['parent']}" in document.text
        repository.commit({"gpu.yaml": json.dumps({**body, "spec": {**declared, "type": "nvidia-12"}})})
        assert [each.reason for each in line.plan().blocked] == ["ChangeRefused"]
        repository.remove("gpu.yaml")
        assert converge_approved(line).succeeded
        assert Ref(MEDIATED_DEVICE, uid) not in line.observe().objects


def test_an_event_is_about_the_one_with_its_uuid() -> None:
    (events,) = DRIVER.events
    uid = "4b20d080-1b54-4048-85b3-a6a62d165c01"
    name = f"mdev_{uid.replace('-', '_')}"
    assert events.name(SimpleNamespace(name=lambda: f"{name}_0000_06_00_0")) == uid
    assert events.name(SimpleNamespace(name=lambda: name)) == uid
    assert events.name(SimpleNamespace(name=lambda: "net_eth0")) == "net_eth0"


def test_a_driver_without_any_has_none(private_test_uri: str) -> None:
    host = Hypervisor.open(private_test_uri)
    try:
        assert not [ref for ref in host.observe().objects if ref.kind == MEDIATED_DEVICE]
    finally:
        host.close()


def test_its_name_is_its_uuid() -> None:
    assert list(check("4b20d080-1b54-4048-85b3-a6a62d165c01", {"parent": "a", "type": "b"})) == []
    assert [pointer for pointer, _ in check("gpu", {"parent": "a", "type": "b"})] == [""]
