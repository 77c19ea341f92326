"""/host and what is below it in Kimchi's words, on the test driver and a machine that goes nowhere."""

from __future__ import annotations

import libvirt

from tests.api.kimchi.hosts import LUNS
from tests.api.kimchi.words import Kimchi


def test_what_the_machine_is_and_does(kimchi: Kimchi) -> None:
    host = kimchi.read("/host")
    assert host.keys() - {"actions"} == {"memory", "cpu_model", "cpus", "os_distro", "os_version", "os_codename"}
    assert host["actions"] == ["reboot", "shutdown", "swupdate"]
    assert host["memory"] > 1 << 20 and host["cpus"] >= 1
    stats = kimchi.read("/host/stats")
    rates = {"disk_read_rate", "disk_write_rate", "net_sent_rate", "net_recv_rate"}
    assert stats.keys() - {"actions"} == {"cpu_utilization", "memory", *rates}
    assert 0 <= stats["cpu_utilization"] <= 100
    assert stats["memory"].keys() == {"total", "free", "buffers", "cached", "avail"}
    history = kimchi.read("/host/stats/history")
    assert history.keys() == stats.keys()
    assert all(isinstance(history[name], list) and len(history[name]) <= 60 for name in rates)
    cpus = kimchi.read("/host/cpuinfo")
    assert cpus.keys() - {"actions"} == {"threading_enabled", "sockets", "cores", "threads_per_core"}


def test_nobody_restarts_a_host_under_its_machines(kimchi: Kimchi) -> None:
    assert kimchi.refusal("POST", "/host/reboot") == "400 KCHHOST0002E"
    assert kimchi.refusal("POST", "/host/shutdown") == "400 KCHHOST0001E"
    kimchi.write("POST", "/vms/test/poweroff")
    host = kimchi.read("/host")
    assert kimchi.write("POST", "/host/reboot") == kimchi.write("POST", "/host/shutdown") == host
    assert kimchi.refusal("POST", "/host/swupdate") == "501 KCHPKGUPD0004E", "this one has no tool for packages"


def test_devices_partitions_and_groups_are_found_by_every_field(kimchi: Kimchi, hand: libvirt.virConnect) -> None:
    assert kimchi.names("/host/devices") == sorted(each.name() for each in hand.listAllDevices())
    computer = kimchi.read("/host/devices/computer")
    assert (computer["device_type"], computer["parent"]) == ("system", None)
    for cap in ("fc_host", "net", "pci", "scsi", "scsi_host", "storage", "system", "usb", "usb_device"):
        assert isinstance(kimchi.read("/host/devices", _cap=cap), list), cap
    free = kimchi.names("/host/devices", _passthrough="true")
    assert not set(free) & set(kimchi.names("/host/devices", _passthrough="false"))
    assert kimchi.read("/host/devices/computer/vmholders") == kimchi.read("/host/devices/computer/vm_holders") == []
    assert isinstance(kimchi.names("/host/devices", _passthrough_affected_by="computer"), list)

    for part in kimchi.read("/host/partitions")[:3]:
        assert part.keys() - {"actions"} == {"name", "path", "type", "fstype", "size", "mountpoint", "available"}
        assert kimchi.read(f"/host/partitions/{part['name']}") == part
        assert part in kimchi.read("/host/partitions", name=part["name"], type=part["type"])
    for group in kimchi.read("/host/vgs"):
        assert group.keys() - {"actions"} == {"name", "size", "free", "pvs", "lvs"}
    assert kimchi.read("/storageservers") == []
    hand.storagePoolDefineXML(LUNS)
    kimchi.api.serving.operations.look_again(None)
    (server,) = kimchi.read("/storageservers")
    assert server == {"host": "127.0.0.1", "port": "3261", "actions": []}
    assert kimchi.read("/storageservers/127.0.0.1") == server
    assert kimchi.read("/storageservers", _target_type="iscsi") == [server]
    assert kimchi.read("/storageservers", _target_type="netfs") == []


def test_every_documented_error(kimchi: Kimchi) -> None:
    for uri, refusal in {
        "/host/devices/none": "404 KCHHOST0003E",
        "/host/devices/none/vmholders": "404 KCHHOST0003E",
        "/host/devices/computer/vmholders/none": "404 KCHHOST0003E",
        "/host/devices?_cap=bogus": "400 KCHDEVS0001E",
        "/host/devices?_passthrough=perhaps": "400 KCHDEVS0002E",
        "/host/devices?_passthrough_affected_by=none": "404 KCHHOST0003E",
        "/host/devices?_passthrough_affected_by=computer&_cap=net": "400 KCHHOST0004E",
        "/host/devices?bogus=1": "400 KCHAPI0001E",
        "/host/partitions/none": "404 KCHPART0001E",
        "/host/partitions?_available_only=perhaps": "400 KCHAPI0001E",
        "/host/vgs/none": "404 KCHLVMS0001E",
        "/storageservers/none.example": "404 KCHSR0001E",
        "/storageservers?_target_type=bogus": "400 KCHAPI0001E",
        "/storageservers/127.0.0.1/storagetargets?_server_port=x": "400 KCHAPI0001E",
        "/debugreports/none": "404 KCHDR0001E",
    }.items():
        assert kimchi.refusal("GET", uri) == refusal, uri
    for uri in (
        "/host/stats",
        "/host/stats/history",
        "/host/cpuinfo",
        "/host/partitions",
        "/host/devices",
        "/host/vgs",
    ):
        for method in ("POST", "PUT", "DELETE"):
            assert kimchi.send(method, uri, {}).status_code == 405, uri
    assert kimchi.send("POST", "/host", {}).status_code == 405
    assert kimchi.send("POST", "/host/bogus").status_code == 404
