"""Random but sensible sets of documents: every kind, references between them, names that don't collide."""

from __future__ import annotations

import ipaddress
from typing import Any

import yaml
from hypothesis import strategies as st

MIB = 1 << 20


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


TITLES = st.text(st.characters(categories=["L", "N"], include_characters=" <>&'\"-"), min_size=1, max_size=20).map(
    lambda text: f"t{text.strip()}"
)

MACHINE = _optional(
    title=TITLES,
    description=TITLES,
    cpus=st.integers(1, 4),
    memory=st.sampled_from([64, 96, 128, "256MiB"]),
    runStrategy=st.sampled_from(["Halted", "Manual"]),
    autostart=st.booleans(),
    machine=st.just("pc"),
    serialConsole=st.booleans(),
    graphics=st.sampled_from([{"type": "none"}, {"type": "vnc"}, {"type": "vnc", "listen": "127.0.0.1"}]),
)
NETWORK = _optional(
    domain=st.just("lab.example"),
    autostart=st.booleans(),
    mode=st.sampled_from(["isolated", "nat"]),
)


@st.composite
def document_sets(
    draw: st.DrawFn, prefix: str = "", folder: str = "/onggi", active: bool = True
) -> list[dict[str, Any]]:
    """Documents of one repository: a pool, networks, volumes, and machines that use them."""
    pool, found = f"{prefix}pool", []

    def add(kind: str, name: str, spec: dict[str, Any]) -> None:
        found.append({"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})

    add("StoragePool", pool, {"type": "dir", "path": folder, "autostart": draw(st.booleans())})
    networks = []
    for index in range(draw(st.integers(0, 2))):
        subnet = ipaddress.ip_network(f"10.{draw(st.integers(150, 239))}.{index}.0/24")
        hosts = list(subnet.hosts())
        spec = {"mode": "isolated", **draw(NETWORK), "subnet": str(subnet), "active": active}
        if draw(st.booleans()):
            spec["dhcp"] = {
                "start": str(hosts[9]),
                "end": str(hosts[99]),
                "hosts": [
                    {"mac": f"52:54:00:00:00:0{n}", "ip": str(hosts[n + 2])} for n in range(draw(st.integers(0, 3)))
                ],
            }
        networks.append(f"{prefix}net{index}")
        add("Network", networks[-1], spec)
    volumes = []
    for index in range(draw(st.integers(0, 2))):
        image = draw(st.sampled_from(["qcow2", "raw"]))
        volumes.append(f"{prefix}data{index}.{image}")
        add(
            "StorageVolume",
            volumes[-1],
            {"pool": pool, "capacity": f"{draw(st.integers(1, 8)) * 8}MiB", "format": image},
        )
    for index in range(draw(st.integers(0, 3))):
        spec = {"runStrategy": "Halted", **draw(MACHINE)}
        disks: list[dict[str, Any]] = [
            {"name": f"d{n}", "size": "16MiB", "pool": pool, "format": draw(st.sampled_from(["qcow2", "raw"]))}
            for n in range(draw(st.integers(0, 2)))
        ]
        if volumes and draw(st.booleans()):
            disks.append({"name": "data", "volume": f"{pool}/{volumes.pop()}"})
        spec["disks"] = disks
        if networks:
            spec["interfaces"] = [
                {
                    "network": draw(st.sampled_from(networks)),
                    "name": f"nic{n}",
                    "model": draw(st.sampled_from(["virtio", "e1000"])),
                }
                for n in range(draw(st.integers(0, 2)))
            ]
        add("VirtualMachine", f"{prefix}vm{index}", spec)
    return found


def files(documents: list[dict[str, Any]]) -> dict[str, str]:
    """One file each, as a person would keep them."""
    return {f"{doc['kind']}-{doc['metadata']['name']}.yaml": yaml.safe_dump(doc, sort_keys=False) for doc in documents}
