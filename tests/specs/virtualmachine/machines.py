"""Valid machines of all sorts, for laws."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), include_characters="\t\n"), max_size=40
)
NAMES = ("root", "data", "spare")
SOURCES = ("default/root.qcow2", "default/data.img", "default/old", "vg/data", "san/unit:0:0:1", "later/lun0")
MEDIA: tuple[dict[str, Any], ...] = (
    {},
    {"volume": "iso/debian.iso"},
    {"volume": "default/onggi-seed-web-0123456789ab.iso"},
    {"path": "/srv/iso/a & b.iso"},
    {"path": "/dev/sr0"},
    {"url": "http://Example.com/a%20b/c.iso"},
    {"url": "https://[fd00::1]:8443/x.iso?token=1&b=%20"},
    {"url": "ftp://example.com/pub/x.iso"},
)
NETWORKS: tuple[dict[str, Any], ...] = (
    {"network": "default"},
    {"network": "lan 2"},
    {"bridge": "br0"},
    {"bridge": "br1"},
    {"direct": {"dev": "eth0"}},
    {"direct": {"dev": "eth1", "mode": "private"}},
    {"user": {"ips": [{"address": "10.9.0.0", "prefix": 24}]}},
    {"ethernet": {"ips": [{"address": "10.9.0.1", "prefix": 24}]}},
    {"mcast": {"address": "230.0.0.1", "port": 5000}},
)
# Of what is beside it, by what it is plugged into.
ON_A_BRIDGE: dict[str, st.SearchStrategy[Any]] = {
    "port": st.fixed_dictionaries({"isolated": st.booleans()}),
    "filter": st.fixed_dictionaries(
        {"name": st.sampled_from(("clean-traffic", "allow-arp"))},
        optional={
            "parameters": st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(("IP", "MAC")), "value": st.sampled_from(("10.0.0.1", "10.0.0.2"))}
                ),
                max_size=3,
                unique_by=str,
            )
        },
    ),
    "mtu": st.integers(1280, 9000),
    "coalesce": st.integers(0, 64).map(lambda most: {"rx": {"frames": {"max": most}}}),
}
ON_A_TAP: dict[str, st.SearchStrategy[Any]] = {
    "bandwidth": st.fixed_dictionaries(
        {},
        optional={
            way: st.fixed_dictionaries(
                {"average": st.sampled_from(("1MiB", "100KiB"))},
                optional={"peak": st.just("2MiB"), "burst": st.sampled_from(("64KiB", "1GiB"))},
            )
            for way in ("inbound", "outbound")
        },
    ),
    "tune": st.integers(0, 9999).map(lambda size: {"sndbuf": size}),
}
EVERYWHERE: dict[str, st.SearchStrategy[Any]] = {
    "rom": st.just({"enabled": False})
    | st.fixed_dictionaries({}, optional={"bar": st.booleans(), "enabled": st.just(value=True)}),
    "acpiIndex": st.integers(1, 9).map(lambda number: 10 * number),
}
VIRTIO_DRIVER = st.fixed_dictionaries(
    {},
    optional={
        "queues": st.integers(2, 8),
        "rxQueueSize": st.sampled_from((256, 1024)),
        "ioeventfd": st.booleans(),
        "packed": st.booleans(),
        "host": st.fixed_dictionaries({}, optional={"csum": st.booleans(), "mrgRxbuf": st.booleans()}),
        "guest": st.fixed_dictionaries({}, optional={"tso4": st.booleans(), "ufo": st.booleans()}),
    },
)
PREFIX = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}


BUSES = ("virtio", "scsi", "sata", "usb")
RATES = st.integers(512, 10**9) | st.sampled_from(("50MiB", "1.5GiB"))
COUNTS = st.integers(1, 10**6)
LIMITS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"bytesPerSecond": RATES}, optional={"readIops": COUNTS, "writeIops": COUNTS}),
    st.fixed_dictionaries({"iops": COUNTS}, optional={"readBytesPerSecond": RATES, "writeBytesPerSecond": RATES}),
)
HOST_DEVICES = ("pci_0000_00_1f_3", "pci_0000_03_00_0", "scsi_3_0_0_1", "usb_1_2")


SETS = st.sampled_from(("0", "1", "0-1", "0,1", "0-3,^2"))
AMOUNTS = st.sampled_from(("16GiB", "17179869184B", "20000000KiB"))
LIMITS_OF_CPUS = st.fixed_dictionaries(
    {},
    optional={
        "processors": SETS,
        "emulatorPin": SETS,
        "vcpuPins": st.sets(st.just(0)).map(lambda cpus: [{"vcpu": cpu, "processors": "0,1"} for cpu in cpus]),
        "shares": st.integers(2, 1000),
        "quota": st.sampled_from((-1, 50000)),
        "globalPeriod": st.integers(1000, 100000),
        "vcpuSchedulers": st.sampled_from(([], [{"vcpus": "0", "scheduler": "fifo", "priority": 3}])),
        "emulatorScheduler": st.sampled_from(({"scheduler": "idle"}, {"scheduler": "rr", "priority": 2})),
    },
)
BACKINGS = st.fixed_dictionaries(
    {},
    optional={
        "hugePages": st.just(True),
        "noSharePages": st.booleans(),
        "locked": st.booleans(),
        "source": st.just("memfd"),
        "access": st.sampled_from(("shared", "private")),
        "discard": st.booleans(),
    },
)
FEATURES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(("aes", "vmx", "svm")), "policy": st.sampled_from(("require", "disable"))}
    ),
    max_size=2,
    unique_by=lambda feature: str(feature["name"]),
)
COMPUTE: dict[str, st.SearchStrategy[Any]] = {
    "cpuTune": LIMITS_OF_CPUS,
    "memoryBacking": BACKINGS,
    "memoryTune": st.fixed_dictionaries({}, optional={"hardLimit": AMOUNTS, "softLimit": st.just("4GiB")}),
    "numaTune": st.fixed_dictionaries({"mode": st.sampled_from(("strict", "preferred")), "nodes": SETS}),
    "ioThreads": st.integers(1, 3),
}


def _divided(draw: st.DrawFn, spec: dict[str, Any]) -> None:
    """NUMA cells with all CPUs and all memory of a machine, and now and then a module beside them."""
    cpus = spec.get("maximumCpus", spec["cpus"])
    count, modules = draw(st.integers(1, min(cpus, 2))), draw(st.integers(0, 2))
    sizes = [draw(st.sampled_from((64, 128))) for _ in range(count)]
    spec["numa"] = {
        "cells": [
            {"id": place, "cpus": f"{place}-{cpus - 1}" if place == count - 1 else "0", "memory": f"{size}MiB"}
            for place, size in enumerate(sizes)
        ]
    }
    if count > 1 and draw(st.booleans()):
        spec["numa"]["cells"][0]["distances"] = [{"cell": 1, "value": draw(st.integers(11, 30))}]
    if modules:
        spec["memoryRoom"] = {"size": "8GiB", "slots": 4}
        spec["memoryModules"] = [{"model": "dimm", "size": "128MiB", "node": 0} for _ in range(modules)]
    spec.pop("maximumMemory", None)
    spec["memory"] = sum(sizes) + 128 * modules


@st.composite
def specs(draw: st.DrawFn, machine: str = "", buses: tuple[str, ...] = BUSES) -> dict[str, Any]:
    """A spec that QEMU can define with the machine type `machine`, or without one the test driver."""
    optional: dict[str, Any] = {
        "title": TEXT.filter(lambda text: "\n" not in text),
        "description": TEXT,
        "memory": st.one_of(st.integers(16, 4096), st.sampled_from(("64MiB", "1.5GiB", "100000KiB"))),
        "cpuMode": st.sampled_from(("host-model", "maximum", "default")),
        "domainType": st.just("emulated"),
        "serialConsole": st.booleans(),
        "graphics": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(("vnc", "spice", "none")),
                "listen": st.sampled_from(("127.0.0.1", "::1")),
                "passwordFrom": st.just({"env": "CONSOLE_PASSWORD"}),
            },
        ),
        "maximumMemory": st.sampled_from((4096, "8GiB", 5000)),
        "hostDevices": st.lists(
            st.sampled_from(HOST_DEVICES if "usb" in buses else HOST_DEVICES[:-1]),
            max_size=2,
            unique=True,
        ).map(lambda names: [{"device": name} for name in names]),
    }
    if machine:
        optional["firmware"] = st.sampled_from(("bios", "uefi"))
        optional |= COMPUTE
    spec: dict[str, Any] = draw(
        st.fixed_dictionaries({"machine": st.just(machine)} if machine else {}, optional=optional)
    )
    cpus = draw(
        st.sampled_from(
            (None, 1, 2, 4, {"sockets": 1, "cores": 2, "threads": 2}, {"sockets": 3, "cores": 1, "threads": 1})
        )
    )
    if isinstance(cpus, dict):
        spec |= {"cpuTopology": cpus, "cpus": cpus["sockets"] * cpus["cores"] * cpus["threads"]}
        if draw(st.booleans()):
            spec["maximumCpus"] = spec["cpus"]
            spec["cpus"] = draw(st.integers(1, spec["cpus"]))
    elif cpus is not None:
        spec["cpus"] = cpus
        if draw(st.booleans()):
            spec["maximumCpus"] = draw(st.integers(cpus, 6))
    if machine and "cpus" in spec and draw(st.booleans()):
        _divided(draw, spec)
    if machine and spec.get("cpuMode") in ("host-model", "maximum") and draw(st.booleans()):
        spec["cpu"] = {"features": draw(FEATURES)}
    graphics = spec.get("graphics", {})
    if "passwordFrom" in graphics and graphics.get("type") != "none" and draw(st.booleans()):
        graphics["passwordValidTo"] = draw(st.sampled_from(("never", "2030-12-31T23:59:59Z", "2020-02-29T00:00:00Z")))
    _devices(draw, spec, buses)
    return spec


def _devices(draw: st.DrawFn, spec: dict[str, Any], buses: tuple[str, ...]) -> None:
    """Disks, drives and interfaces whose targets and places in the boot order are unique."""
    orders = iter(draw(st.permutations(range(1, 10))))
    letters = iter("zyxwvutsrqponm")

    def drive(item: dict[str, Any], choices: tuple[str, ...]) -> dict[str, Any]:
        if draw(st.booleans()):
            item["bus"] = draw(st.sampled_from(choices))
        if "bus" in item and item["bus"] != "ide" and draw(st.booleans()):
            item["target"] = PREFIX[item["bus"]] + next(letters)
        if draw(st.integers(0, 3)) == 0:
            item["bootOrder"] = next(orders)
        return item

    if draw(st.booleans()):
        spec["disks"] = []
        for place, volume in enumerate(draw(st.lists(st.sampled_from(SOURCES), max_size=3, unique=True))):
            disk = drive({"name": f"disk{place}", "volume": volume}, buses)
            if draw(st.booleans()):
                disk["format"] = draw(st.sampled_from(("qcow2", "raw")))
            if draw(st.integers(0, 3)) == 0:
                disk["ioLimits"] = draw(LIMITS)
            if "bus" in disk:  # only these two take a read-only disk: elsewhere both have to be said
                disk["readOnly"] = disk["bus"] in ("virtio", "scsi") and draw(st.booleans())
            spec["disks"].append(disk)
    if draw(st.booleans()):
        media = draw(st.lists(st.sampled_from(MEDIA), max_size=3, unique_by=str))
        spec["cdroms"] = [drive(dict(medium), buses[1:]) for medium in media]
        for place, cdrom in enumerate(spec["cdroms"]):
            if "onggi-seed-" in cdrom.get("volume", ""):
                cdrom["name"] = "seed"
            elif draw(st.booleans()):
                cdrom["name"] = f"drive.{place}"
    if draw(st.booleans()):
        spec["interfaces"] = []
        for network in draw(st.lists(st.sampled_from(NETWORKS), max_size=3, unique_by=str)):
            interface = dict(network)
            if draw(st.booleans()):
                interface["mac"] = f"52:54:00:AA:BB:{len(spec['interfaces']):02X}"
            if draw(st.booleans()):
                interface["model"] = draw(st.sampled_from(("virtio", "e1000", "rtl8139")))
            if draw(st.booleans()):
                interface["link"] = draw(st.sampled_from(("up", "down")))
            if draw(st.integers(0, 3)) == 0:
                interface["bootOrder"] = next(orders)
            _options(draw, interface, bool(spec.get("machine")))
            spec["interfaces"].append(interface)
        for place, interface in enumerate(spec["interfaces"]):
            if "acpiIndex" in interface:  # each has its own
                interface["acpiIndex"] += place


def _options(draw: st.DrawFn, interface: dict[str, Any], of_qemu: bool) -> None:
    """What may be beside what it is plugged into. A number for ACPI is a matter of newer chipsets."""
    plugged = next(iter(interface))
    known = {**EVERYWHERE}
    if plugged in ("network", "bridge"):
        known |= {**ON_A_BRIDGE, **ON_A_TAP}
    elif plugged in ("direct", "ethernet"):
        known |= ON_A_TAP
    if interface.get("model") == "virtio":
        known["driver"] = VIRTIO_DRIVER
    for name, values in known.items():
        if draw(st.integers(0, 4)) == 0 and (name != "acpiIndex" or of_qemu):
            interface[name] = draw(values)
