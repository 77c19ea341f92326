"""What others have made on the host in ways that nobody thought of: each is shown, or left out, and hides no other."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from xml.sax.saxutils import escape

import libvirt
import pytest

from tests.api.conftest import api, hand
from tests.api.live import LiveApi
from tests.lab.waiting import until

__all__ = ["api", "hand"]

MACHINE = (
    "<domain type='test'>{head}<memory unit='{unit}'>{memory}</memory><os><type>hvm</type></os>"
    "<devices>{devices}</devices></domain>"
)
DISK = "<disk type='{type}' device='{device}'>{inside}<target dev='{target}' bus='{bus}'/></disk>"
MACHINES = {
    "plain": "",
    "a b  c": "",
    "é漢😀": "",
    "a/b": "",
    ".": "",
    "..": "",
    "-rf": "",
    "%2e%2e": "",
    "<b>&'": "",
    "x" * 200: "",
    "​hidden‮": "",
    "snapshots": "",
    "no graphics": "<serial type='pty'/><console type='pty'/>",
    "two graphics": "<graphics type='vnc' port='5999' listen='::1'/><graphics type='sdl' display=':0'/>",
    "only sdl": "<graphics type='sdl' display='x:0.0'/>",
    "socket": "<graphics type='vnc' socket='/tmp/x y'/>",
    "network disk": DISK.format(
        type="network", device="disk", target="vda", bus="virtio",
        inside="<source protocol='rbd' name='pool/image'><host name='mon' port='6789'/></source>",
    ),
    "empty drives": DISK.format(type="file", device="cdrom", target="hda", bus="ide", inside="")
    + DISK.format(type="file", device="floppy", target="fda", bus="fdc", inside=""),
    "folder disk": DISK.format(
        type="dir", device="floppy", target="fda", bus="fdc", inside="<source dir='/var'/>"
    ),
    "volume disk": DISK.format(
        type="volume", device="disk", target="vda", bus="virtio", inside="<source pool='nowhere' volume='nothing'/>"
    ),
    "odd path": DISK.format(
        type="file", device="disk", target="vda", bus="virtio", inside="<source file='/x/a&#10;b‮.img'/>"
    ),
    "user network": "<interface type='user'/><interface type='ethernet'/>",
    "direct": "<interface type='direct'><source dev='eth9' mode='bridge'/></interface>",
    "no such network": "<interface type='network'><source network='nowhere'/></interface>",
}  # fmt: skip


@pytest.fixture
def made(api: LiveApi, hand: libvirt.virConnect) -> Iterator[set[str]]:
    """The names of those machines that libvirt itself takes, once they are shown."""
    taken = {"test"}
    for name, devices in MACHINES.items():
        head = f"<name>{escape(name)}</name><title>a &lt;script&gt; é</title>"
        with suppress(libvirt.libvirtError):
            taken.add(hand.defineXML(MACHINE.format(head=head, unit="MiB", memory=64, devices=devices)).name())
    transient = hand.createXML(MACHINE.format(head="<name>transient</name>", unit="KiB", memory=1, devices=""), 0)
    taken.add("transient")
    until(lambda: names(api, "/vms") == taken, 60, "every machine is shown")
    assert len(taken) > 15
    yield taken
    with suppress(libvirt.libvirtError):
        transient.destroy()


def names(api: LiveApi, path: str) -> set[str]:
    answer = api.client.get(path)
    assert answer.status_code == 200, answer.text
    return {each["name"] for each in answer.json()}


def test_every_machine_that_libvirt_takes_is_in_the_list(api: LiveApi, made: set[str]) -> None:
    for address in ("/", "/storages", "/ifaces", "/hostdevs", "/snapshots", "/snapshots/current", "/screenshot"):
        for name in made - {"a/b", ".", ".."}:  # what no address can name
            answer = api.client.get(f"/vms/{quoted(name)}{address}")
            assert answer.status_code in (200, 404, 501), f"{name!r}{address}: {answer.text}"
            assert address not in ("/", "/storages", "/ifaces", "/hostdevs") or answer.status_code == 200, answer.text
    for path in ("/storagepools", "/networks", "/tasks", "/host/devices", "/plan", "/drift", "/status", "/metrics"):
        assert api.client.get(path).status_code == 200, path


@pytest.mark.parametrize("action", ["start", "poweroff", "shutdown", "suspend", "resume", "reset", "connect", "clone"])
def test_nothing_that_is_asked_of_them_is_unexpected(api: LiveApi, made: set[str], action: str) -> None:
    for name in sorted(made - {"a/b", ".", "..", "test"}):
        answer = api.client.post(f"/vms/{quoted(name)}/{action}")
        assert answer.status_code != 500, f"{name!r}: {answer.text}"
        if answer.status_code == 202:
            assert "unexpected" not in api.task(answer)["message"]


@pytest.mark.parametrize(
    "body", [{"memory": 1024}, {"name": "renamed"}, {"users": ["root"]}, {"graphics": {"passwd": "x"}}],
    ids=lambda body: next(iter(body)),
)  # fmt: skip
def test_nor_is_any_change(api: LiveApi, made: set[str], body: dict[str, Any]) -> None:
    for name in sorted(made - {"a/b", ".", "..", "test"}):
        answer = api.client.put(f"/vms/{quoted(name)}", json=body)
        assert answer.status_code != 500, f"{name!r}: {answer.text}"
    for name in sorted(made - {"a/b", ".", "..", "test"}):
        answer = api.client.delete(f"/vms/{quoted(name)}")
        assert answer.status_code != 500, f"{name!r}: {answer.text}"


@pytest.mark.parametrize(
    ("view", "address", "stays"),
    [
        ("api.networks.resource.network_view", "/networks", "default"),
        ("api.storagepools.resource.pool_view", "/storagepools", "default-pool"),
        ("api.vms.view.machine_view", "/vms", "test"),
        ("api.vms.ifaces.resource.interface_view", "/vms/odd/ifaces", "52:54:00:00:00:01"),
        ("api.vms.storages.resource.storage_view", "/vms/odd/storages", "hda"),
        ("api.host.devices.resource.device_view", "/host/devices", "computer"),
    ],
)
def test_what_cannot_be_told_of_is_left_out_and_the_log_says_so(
    api: LiveApi, hand: libvirt.virConnect, view: str, address: str, stays: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    drives = "".join(
        DISK.format(type="file", device="cdrom", target=target, bus="ide", inside="") for target in ("hda", "hdb")
    )
    cards = "".join(
        f"<interface type='network'><mac address='52:54:00:00:00:0{n}'/><source network='default'/></interface>"
        for n in (1, 2)
    )
    head = "<name>odd</name>"
    hand.defineXML(MACHINE.format(head=head, unit="MiB", memory=64, devices=drives + cards))
    hand.networkDefineXML("<network><name>odd</name></network>")
    hand.storagePoolDefineXML("<pool type='dir'><name>odd</name><target><path>/odd</path></target></pool>")
    for path in ("/vms", "/networks", "/storagepools"):
        until(lambda path=path: "odd" in names(api, path), 60, "it is shown")  # type: ignore[misc]
    module, _, function = view.rpartition(".")
    real = getattr(importlib.import_module(module), function)

    def fails_for_others(*arguments: Any, **more: Any) -> Any:
        made = real(*arguments, **more)
        if stays not in (made.get("name"), made.get("dev"), made.get("mac")):
            raise AttributeError("an odd one")
        return made

    monkeypatch.setattr(view, fails_for_others)
    found = api.client.get(address)
    assert found.status_code == 200, found.text
    shown = {stays} & {each.get("name") or each.get("dev") or each.get("mac") for each in found.json()}
    assert shown == {stays}
    assert "listing failed unexpectedly" in caplog.text


def quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())
