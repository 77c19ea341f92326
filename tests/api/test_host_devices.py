"""The host's devices through HTTP: what there is, what a machine can be given, what goes along, and who has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from reconciler.observed.host_devices import KINDS
from tests.api.live import LiveApi, live_api
from tests.lab.repositories import Repository

SCSI = "scsi_2_0_0_0"


@pytest.fixture
def real(qemu_system: str, repository: Repository, tmp_path: Path) -> Iterator[LiveApi]:
    """The devices of the machine that the tests run on."""
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", qemu_system) as running:
        yield running


def names(api: LiveApi, **query: str) -> list[str]:
    answer = api.client.get("/host/devices", params=query)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()]


def test_the_devices_are_those_of_libvirt(api: LiveApi, hand: libvirt.virConnect) -> None:
    assert names(api) == sorted(device.name() for device in hand.listAllDevices())
    assert api.client.get("/host/devices/computer").json()["parent"] is None


def test_a_kind_is_asked_for(api: LiveApi) -> None:
    assert names(api, _cap="system") == ["computer"]
    assert names(api, _cap="net") == []
    hosts = names(api, _cap="scsi_host")
    assert hosts
    for name in names(api, _cap="fc_host"):
        found = api.client.get(f"/host/devices/{name}").json()
        assert found["device_type"] == "scsi_host"
        assert found["adapter"]["type"] == "fc_host"
        assert len(found["adapter"]["wwnn"]) == len(found["adapter"]["wwpn"]) == 16


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("_cap=rice", "KCHDEVS0001E"),
        ("_cap=netx", "KCHDEVS0001E"),
        ("_passthrough=maybe", "KCHDEVS0002E"),
        ("_available_only=maybe", "KCHDEVS0004E"),
        ("_passthrough_affected_by=a/b", "KCHDEVS0003E"),
        ("_passthrough_affected_by=-x%0A", "KCHDEVS0003E"),
        ("_passthrough_affected_by=computer&_cap=net", "KCHHOST0004E"),
        ("name=computer", "KCHAPI0001E"),
        ("_rice=1", "KCHAPI0001E"),
    ],
)
def test_what_cant_be_asked_is_refused(api: LiveApi, query: str, code: str) -> None:
    answer = api.client.get(f"/host/devices?{query}")
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith(f"{code}: ")


@pytest.mark.parametrize(
    "path",
    [
        "/host/devices/rice", "/host/devices/--help", "/host/devices?_passthrough_affected_by=rice",
        "/host/devices/rice/vmholders", "/host/devices/computer/vmholders/web",
    ],
)  # fmt: skip
def test_what_isnt_there_is_not_found(api: LiveApi, path: str) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["reason"].startswith("KCHHOST0003E: ")


@pytest.mark.qemu
def test_a_real_machines_devices_are_in_one_sort_or_the_other(real: LiveApi) -> None:
    everything = names(real)
    eligible, others = names(real, _passthrough="true"), names(real, _passthrough="false")
    assert sorted(eligible + others) == everything
    assert not set(eligible) & set(others)
    for kind in KINDS:
        assert set(names(real, _cap=kind)) <= set(everything)


@pytest.mark.qemu
def test_a_pci_device_has_its_address_and_its_makers(real: LiveApi) -> None:
    for name in names(real, _cap="pci"):
        found = real.client.get(f"/host/devices/{name}").json()
        address = "pci_{domain:04x}_{bus:02x}_{slot:02x}_{function:x}".format(**found)
        assert address == name
        assert found["path"].startswith("/sys/devices/")
        assert {"id", "description"} == found["vendor"].keys() == found["product"].keys()
        tied = names(real, _passthrough_affected_by=name)
        assert name not in tied


@pytest.mark.qemu
def test_the_machines_that_have_a_device_are_named(
    real: LiveApi, qemu_connection: libvirt.virConnect, host_objects: object
) -> None:
    pci = names(real, _cap="pci")
    if not pci:
        pytest.skip("this machine has no PCI bus")
    found = real.client.get(f"/host/devices/{pci[0]}").json()
    address = " ".join(f"{key}='{found[key]}'" for key in ("domain", "bus", "slot", "function"))
    name = host_objects.name("holder")  # type: ignore[attr-defined]
    qemu_connection.defineXML(
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><os><type>hvm</type></os><devices>"
        f"<hostdev mode='subsystem' type='pci'><source><address {address}/></source></hostdev></devices></domain>"
    )
    real.serving.operations.look_again(None)
    holder = {"name": name, "state": "shutoff", "actions": []}
    for word in ("vmholders", "vm_holders"):
        assert holder in real.client.get(f"/host/devices/{pci[0]}/{word}").json()
        assert real.client.get(f"/host/devices/{pci[0]}/{word}/{name}").json() == holder
    free = names(real, _cap="pci", _available_only="true")
    assert pci[0] not in free
    assert set(free) <= set(pci)
    assert names(real, _cap="pci", _available_only="false") == pci
