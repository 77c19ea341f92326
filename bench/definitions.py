"""The XML of the benchmark's objects, for the host and for the peers that want to be given XML."""

from __future__ import annotations

from xml.etree import ElementTree

from bench import names

_POOL = """<pool type='dir'><name/><target><path/></target></pool>"""
_NETWORK = """<network><name/></network>"""
_VOLUME = """<volume><name/><capacity unit='GiB'>1</capacity><target><format type='qcow2'/></target></volume>"""
_MACHINE = """<domain type='qemu'><name/><memory unit='MiB'/><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<devices>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source/><target dev='vda' bus='virtio'/></disk>
<interface type='network'><source/><model type='virtio'/></interface>
</devices></domain>"""


def pool(path: str) -> str:
    """A pool in the folder `path`."""
    return _with(_POOL, {"name": names.POOL, "target/path": path})


def network() -> str:
    """An isolated network without addresses: nothing but a bridge."""
    return _with(_NETWORK, {"name": names.NETWORK})


def volume(name: str) -> str:
    """A sparse qcow2 volume of 1 GiB."""
    return _with(_VOLUME, {"name": name})


def machine(name: str, disk: str, memory_mib: int = names.MEMORY_MIB) -> str:
    """An emulated machine with the image `disk` and one NIC."""
    texts = {"name": name, "memory": str(memory_mib)}
    sources = {"devices/disk/source": ("file", disk), "devices/interface/source": ("network", names.NETWORK)}
    return _with(_MACHINE, texts, sources)


def _with(template: str, texts: dict[str, str], attributes: dict[str, tuple[str, str]] | None = None) -> str:
    root = ElementTree.fromstring(template)
    for path, text in texts.items():
        _at(root, path).text = text
    for path, (key, value) in (attributes or {}).items():
        _at(root, path).set(key, value)
    return ElementTree.tostring(root, encoding="unicode")


def _at(root: ElementTree.Element, path: str) -> ElementTree.Element:
    found = root.find(path)
    assert found is not None, path
    return found
