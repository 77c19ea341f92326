"""The bare loop: what libvirt-python alone needs, as a program of its own. It is the yardstick of the others.

`create THREADS MACHINES` or `again THREADS MACHINES`; each thread has a connection of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import libvirt

from bench import definitions, names
from bench.peers import Peer
from bench.process import Command
from bench.world import URI, World


def peers(_world: World, machines: int) -> Iterator[Peer]:
    """With one thread and with four."""
    for threads in (1, 4):
        name = f"libvirt-python loop, {threads} thread{'s' if threads > 1 else ''}"
        create, again = (
            Command((sys.executable, "-m", "bench.peers.loop", verb, str(threads), str(machines)))
            for verb in ("create", "again")
        )
        yield Peer(name, machines, create, ((name, again),))


def create(numbers: range) -> None:
    """A volume and a definition each."""
    connection = libvirt.open(URI)
    pool = connection.storagePoolLookupByName(names.POOL)
    for number in numbers:
        name = names.machine(number)
        volume = pool.createXML(definitions.volume(f"{name}.qcow2"))
        connection.defineXML(definitions.machine(name, volume.path()))
    connection.close()


def again(numbers: range) -> None:
    """Read each definition and compare memory, disk and NIC: the least that anyone has to do who wants to know."""
    connection = libvirt.open(URI)
    domains = {domain.name(): domain for domain in connection.listAllDomains()}
    for number in numbers:
        name = names.machine(number)
        root = ElementTree.fromstring(domains[name].XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        disk, nic = root.find("devices/disk/source"), root.find("devices/interface/source")
        assert root.findtext("memory") == str(names.MEMORY_MIB << 10), name
        assert disk is not None and str(disk.get("file")).endswith(f"/{name}.qcow2"), name
        assert nic is not None and nic.get("network") == names.NETWORK, name
    connection.close()


def main() -> None:
    """The program."""
    verb, threads, machines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    work = create if verb == "create" else again
    shares = [range(first, machines, threads) for first in range(threads)]
    if threads == 1:
        work(shares[0])
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, shares))


if __name__ == "__main__":
    main()
