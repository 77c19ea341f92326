"""The bare loop: what libvirt-python alone needs. `create N THREADS POOL PREFIX`, `read PREFIX`, or `repair PREFIX`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import libvirt

VOLUME = "<volume><name>{name}.qcow2</name><capacity unit='GiB'>1</capacity><target><format type='qcow2'/></target></volume>"
DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/><target dev='vda' bus='virtio'/></disk>
<interface type='network'><source network='{network}'/><model type='virtio'/></interface></devices></domain>"""


def create(count: int, threads: int, pool: str, prefix: str, uri: str) -> None:
    """A volume and a definition each, spread over connections of their own."""

    def some(start: int) -> None:
        connection = libvirt.open(uri)
        found = connection.storagePoolLookupByName(pool)
        for number in range(start, count, threads):
            name = f"{prefix}{number:04d}"
            volume = found.createXML(VOLUME.format(name=name))
            connection.defineXML(DOMAIN.format(name=name, path=volume.path(), network="onggi-bench"))
        connection.close()

    with ThreadPoolExecutor(threads) as pool_of_threads:
        list(pool_of_threads.map(some, range(threads)))


def read(uri: str) -> int:
    """Every definition, one after the other: the least that any full comparison has to do."""
    connection = libvirt.open(uri)
    size = sum(len(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)) for domain in connection.listAllDomains())
    connection.close()
    return size


def main() -> None:
    verb, *words = sys.argv[1:]
    if verb == "create":
        create(int(words[0]), int(words[1]), words[2], words[3], words[4])
    else:
        read(words[0])


if __name__ == "__main__":
    main()
