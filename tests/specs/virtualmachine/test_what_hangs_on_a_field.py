"""A field changes, and what hangs on it goes along: libvirt takes the result, and then nothing differs any more."""

from __future__ import annotations

import random
from typing import Any

import libvirt
import pytest

from specs.binding import parse
from tests.lab.libvirtd import HostObjects
from tests.specs.virtualmachine.tool_machines import (
    TOOLS,
    changed,
    changes,
    compared,
    is_valid,
    left,
    machine,
    merged,
    observed,
    refused,
)
from tests.specs.virtualmachine.world import defined, inactive


@pytest.mark.parametrize("tool", TOOLS)
def test_whatever_a_document_changes_libvirt_takes_it_and_it_converges(
    tool: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    before = machine(tool, host_objects.name("tool"))
    failed: list[str] = []
    with defined(qemu_connection, before) as domain:
        start = inactive(domain)
        asked = list(changes(observed(start)))
        pick = random.Random(tool)
        several = [pick.sample(asked, 3) for _ in range(30)]
        together = [(" + ".join(what for what, _ in some), merged(*(spec for _, spec in some))) for some in several]
        asked += [(what, spec) for what, spec in together if is_valid(spec)]
        for what, spec in asked:
            wanted = compared(start, spec).lowered
            try:
                after = inactive(qemu_connection.defineXML(changed(start, spec)))
            except libvirt.libvirtError as error:
                failed.append(f"{what}: {error.get_error_message()}")
                continue
            if found := left(after, wanted):
                failed.append(f"{what}: {found}")
            if changed(after, spec) != changed(after, {}):
                failed.append(f"{what}: a second pass writes something else")
    assert not failed, "\n".join(failed)


DESKTOP, NODE, GUEST = "virt-manager-spice", "kcli", "proxmox-like"
ON_NAT = {"interfaces": [{"mac": "52:54:00:4b:73:5f", "network": "default"}]}
ON_BRIDGE = {"interfaces": [{"mac": "52:54:00:4b:73:5f", "bridge": "ovsbr1"}]}
SATA = {"disks": [{"source": {"file": "/var/lib/libvirt/images/desktop.qcow2"}, "bus": "sata"}]}


# libvirt takes some of these in a definition, and refuses them when the machine is started.
@pytest.mark.parametrize(
    ("tool", "spec", "gone", "kept"),
    [
        (DESKTOP, ON_NAT, ["interface/virtualport", "interface/vlan"], ["interface/driver[@queues]"]),
        (DESKTOP, ON_BRIDGE, [], ["interface/virtualport", "interface/vlan/tag[@id='42']"]),
        (
            DESKTOP,
            {"graphics": {"type": "vnc"}},
            ["*[@type='spicevmc']", "*[@type='spiceport']", "audio[@type='spice']", "sound/audio", ".//gl",
             ".//acceleration"],
            ["sound", "video", "channel/target[@name='org.qemu.guest_agent.0']", "graphics[@type='vnc'][@keymap='de']"],
        ),
        (DESKTOP, {"graphics": {"type": "none"}}, ["*[@type='spicevmc']", "graphics", "video"], ["sound", "tpm"]),
        (NODE, {"graphics": {"type": "spice"}}, ["channel[@type='spicevmc']"], ["channel[@type='qemu-vdagent']"]),
        (
            DESKTOP,
            SATA,
            [f"disk/driver[@{name}]" for name in ("queues", "iothread", "packed", "event_idx", "ioeventfd")],
            ["disk/driver[@cache='none'][@io='native'][@discard='unmap']", "disk/serial"],
        ),
        (
            GUEST,
            {"disks": [{"source": {"dev": "/dev/disk/by-id/scsi-1"}, "bus": "sata"}]},
            ["disk[@device='lun']", "disk[@sgio]", "disk[@rawio]"],
            ["disk[@device='disk']/source[@dev]"],
        ),
    ],
)  # fmt: skip
def test_what_hangs_on_a_field_goes_and_everything_else_stays(
    tool: str, spec: dict[str, Any], gone: list[str], kept: list[str]
) -> None:
    before = parse(machine(tool, "web")).find("devices")
    after = parse(changed(machine(tool, "web"), spec)).find("devices")
    assert before is not None
    assert after is not None
    assert [path for path in gone if after.find(path) is not None] == []
    assert [path for path in kept if after.find(path) is None] == []
    untouched = {"rng", "watchdog", "memballoon", "tpm", "input", "controller"}
    assert untouched & {each.tag for each in before} <= {each.tag for each in after}


def test_a_serial_console_comes_before_those_of_other_kinds() -> None:
    root = parse(changed(machine("by-hand-headless", "web"), {"serialConsole": True}))
    assert [each.get("type") for each in root.findall("devices/console/target")] == ["serial", "virtio", "virtio"]
    assert root.find("devices/serial") is not None


def test_a_usb_device_of_the_host_comes_into_a_machine_that_had_no_usb() -> None:
    device = {"device": "usb_1_2", "type": "usb", "numbers": {"bus": 1, "device": 5}}
    root = parse(changed(machine(NUMA, "web"), {"hostDevices": [device]}))
    assert root.find("devices/controller[@type='usb'][@model='none']") is None
    assert root.find("devices/hostdev[@type='usb']") is not None


def test_pins_of_processors_that_are_gone_go_too() -> None:
    root = parse(changed(machine(GUEST, "web"), {"cpus": 1, "maximumCpus": 1}))
    assert [each.get("vcpus") for each in root.iterfind("cputune/vcpusched")] == ["0"]
    assert [each.get("vcpu") for each in root.iterfind("cputune/vcpupin")] == ["0"]


def test_a_machine_with_a_single_numa_cell_grows_like_any_other() -> None:
    spec = {"memory": 8192, "cpus": 6, "maximumCpus": 6}
    root = parse(changed(machine(GUEST, "web"), spec))
    cell = root.find("cpu/numa/cell")
    assert cell is not None
    assert (cell.get("cpus"), int(cell.get("memory") or 0) >> 10) == ("0-5", 8192 - 512)  # beside a module of 512 MiB
    assert int(root.findtext("maxMemory") or 0) >> 10 == 8192


NUMA, SECURE = "openstack-numa", "by-hand-headless"
SHARED, DISK = "/var/lib/libvirt/images/shared.raw", "/var/lib/libvirt/images/desktop.qcow2"


@pytest.mark.parametrize(
    ("tool", "spec", "pointer", "words"),
    [
        (NUMA, {"memory": 8192}, "/memory", ["2 NUMA cells", "4096 MiB", "numa.cells"]),
        (NUMA, {"maximumMemory": 8192}, "/maximumMemory", ["2 NUMA cells", "numa.cells"]),
        (NUMA, {"cpus": 6}, "/cpus", ["4 processors", "2 NUMA cells", "numa.cells"]),
        (NUMA, {"maximumCpus": 2, "cpus": 2}, "/maximumCpus", ["2 NUMA cells"]),
        (NUMA, {"cpuTopology": {"sockets": 1, "cores": 2, "threads": 1}}, "/cpuTopology", ["2 NUMA cells"]),
        (GUEST, {"memory": 256}, "/memory", ["512 MiB of its memory are modules"]),
        (GUEST, {"disks": [{"source": {"file": SHARED}, "bus": "sata"}]}, f"/disks/{SHARED}/bus", ["read-only"]),
        (DESKTOP, {"disks": [{"source": {"file": DISK}, "bus": "ide"}]}, f"/disks/{DISK}/bus", ["q35 has no IDE"]),
        (SECURE, {"machine": "pc"}, "/machine", ["boots securely", "q35"]),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused_with_its_cause_and_remedy(
    tool: str, spec: dict[str, Any], pointer: str, words: list[str]
) -> None:
    [(field, sentence)] = refused(machine(tool, "web"), {**spec, "title": "new"}).items()
    assert field == pointer
    assert [word for word in words if word not in sentence] == []
    root = parse(changed(machine(tool, "web"), {**spec, "title": "new"}))
    assert root.findtext("title") == "new"  # what is refused holds up nothing else


@pytest.mark.parametrize("spec", [{"memory": 1024}, {"cpus": 2}, {"memory": 4096, "cpus": 4}])
def test_a_machine_with_numa_cells_can_have_less_than_they_have_together(spec: dict[str, Any]) -> None:
    text = machine(NUMA, "web")
    assert refused(text, spec) == {}
    after = parse(changed(text, spec))
    assert observed(changed(text, spec)) | spec == observed(changed(text, spec))
    assert [cell.get("memory") for cell in after.findall("cpu/numa/cell")] == ["2097152", "2097152"]
