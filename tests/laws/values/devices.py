"""Of a machine's other devices: an element of each kind, and what goes with which of its kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_LINES: Final = ("channels", "serials", "consoles", "parallels")
_ALL_ENDS: Final = (*_LINES, "redirdevs", "smartcards", "rngs.egd")
_PCI: Final = ("pci 0000:00:1a.0", "pci 0000:00:1b.0")
_ISA: Final = ("isa 0x505", "isa 0x506")
_PORTS: Final = ("virtio-serial 0:0:3", "virtio-serial 0:0:4")
_USB: Final = ("usb 0:1", "usb 0:2")
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "channels": _PORTS,
    "consoles": _PORTS,
    "serials": ("isa 0x3f8 irq=0x4", "isa 0x2f8 irq=0x3"),
    "parallels": ("isa 0x378 irq=0x7", "isa 0x278 irq=0x5"),
    "videos": _PCI,
    "sounds": _PCI,
    "inputs": _USB,
    "rngs": _PCI,
    "balloon": _PCI,
    "vsock": _PCI,
    "shmems": _PCI,
    "panics": _ISA,
    "watchdog": _PCI,
    "tpm": ("spapr-vio 0x3000", "spapr-vio 0x4000"),
    "iommu": _PCI,
    "hostDevices": _PCI,
    "hubs": ("usb 0:1", "usb 0:2"),
    "nvramDevice": ("spapr-vio 0x3000", "spapr-vio 0x4000"),
    "filesystems": _PCI,
    "redirdevs": _USB,
    "smartcards": ("ccid 0:0", "ccid 1:0"),
}
# What virtiofs needs.
_SHARED_MEMORY: Final[Mapping[str, Any]] = {"memoryBacking": {"source": "memfd", "access": "shared"}}
_MDEV: Final = "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"
_SIZES: Final = ("16MiB", "32MiB")

_ENDS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "pty"},
    {"type": "null"},
    {"type": "unix", "path": "/srv/a.sock", "mode": "bind"},
    {"type": "unix", "path": "/srv/a.sock", "mode": "connect"},
    {"type": "tcp", "connect": "192.0.2.1:4555"},
    {"type": "tcp", "listen": "127.0.0.1:4555"},
    {"type": "udp", "connect": "192.0.2.1:4555"},
    {"type": "file", "path": "/srv/a.log"},
    {"type": "spiceport", "channel": "org.example.a"},
)


def _documents() -> Iterator[dict[str, Any]]:
    """Each list with one of its elements, in as many ways as its fields need."""
    first: Mapping[str, dict[str, Any]] = {
        "channels": {"name": "org.example.a"},
        "serials": {},
        "consoles": {"target": "virtio"},
        "parallels": {},
        "redirdevs": {},
    }
    for end in _ENDS:
        graphics = {"graphics": {"type": "spice"}} if end["type"] in ("pty", "spiceport") else {}
        for name, item in first.items():
            yield {name: [{**item, **end}], **graphics}
        yield {"rngs": [{"model": "virtio", "backend": "egd", "egd": end}]}
        yield {"smartcards": [end], **graphics}
    for name, item in first.items():
        if name in _LINES:
            yield {name: [{**item, "type": "pty", "log": {"file": "/srv/a.log"}}]}
    yield {"channels": [{"name": "org.example.a", "type": "qemu-vdagent"}]}
    yield {"smartcards": [{"type": "host"}]}
    yield {"smartcards": [{"type": "host-certificates", "certificates": ["a", "b", "c"]}]}
    yield {"videos": [{"model": "virtio"}], "graphics": {"type": "spice"}}
    yield {"videos": [{"model": "virtio", "resolution": {"x": 1024, "y": 768}}]}
    yield {"videos": [{"model": "qxl"}]}
    yield {"videos": [{"model": "virtio", "backend": "vhostuser"}]}
    for kind in ("none", "pulseaudio", "alsa", "file"):
        fixed = {"mixingEngine": True, "fixedSettings": True}
        yield {"audios": [{"id": 1, "type": kind}], "graphics": {"type": "spice"}}
        yield {"audios": [{"id": 1, "type": kind, "input": fixed, "output": fixed}]}
    yield {"sounds": [{"model": "ich9"}], "audios": [{"id": 2, "type": "none"}, {"id": 3, "type": "none"}]}
    yield {"inputs": [{"type": "mouse", "bus": "usb"}]}
    yield {"inputs": [{"type": "mouse", "bus": "virtio"}]}
    yield {"inputs": [{"type": "passthrough", "bus": "virtio", "evdev": "/dev/input/event3"}]}
    yield {"inputs": [{"type": "evdev", "device": "/dev/input/event3"}]}
    yield {"rngs": [{"model": "virtio", "backend": "random"}]}
    yield {"rngs": [{"model": "virtio", "backend": "random", "rate": {"bytes": 1024}}]}
    yield {"balloon": {"model": "virtio"}}
    yield {"vsock": {"model": "virtio", "cid": {"auto": False, "address": 3}}}
    yield {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": "4MiB"}]}
    yield {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "server": "/srv/a.sock"}]}
    yield {"panics": [{"model": "isa"}]}
    yield {"tpm": {"backend": "emulator"}}
    yield {"tpm": {"backend": "emulator", "version": "2.0"}}
    yield {"tpm": {"backend": "passthrough", "model": "tpm-tis"}}
    yield {"tpm": {"backend": "external", "model": "tpm-tis", "socket": "/srv/a.sock"}}
    yield {"iommu": {"model": "intel"}, "machine": "q35"}
    yield {"iommu": {"model": "virtio"}, "machine": "q35"}
    yield {"hubs": [{}]}
    yield {"filesystems": [{"target": "a", "source": "/srv/a", "type": "path"}], **_SHARED_MEMORY}
    yield {"filesystems": [{"target": "a", "source": "/srv/a", "type": "path", "accessMode": "mapped"}]}
    yield {"filesystems": [{"target": "a", "source": "/srv/a", "type": "virtiofs"}], **_SHARED_MEMORY}
    yield {"filesystems": [{"target": "a", "socket": "/srv/a.sock", "type": "virtiofs"}], **_SHARED_MEMORY}
    yield {"redirFilter": [{"allow": True}]}
    yield {"hostDevices": [{"pci": "0000:00:19.0"}]}
    yield {"hostDevices": [{"usb": "046d:c52b"}]}
    yield {"hostDevices": [{"scsi": "0:0:0:1"}]}
    yield {
        "hostDevices": [{"mdev": _MDEV, "display": True}],
        "graphics": {"type": "vnc"},
    }
    yield {"hostDevices": [{"vhost": "naa.5123456789abcde0"}]}
    for kind in ("vnc", "spice"):
        yield {"graphics": {"type": kind}}
        yield {"graphics": {"type": kind}, "audios": [{"id": 2, "type": "none"}, {"id": 3, "type": "none"}]}
    yield {"graphics": {"type": "spice", "channels": [{"name": "main", "mode": "secure"}]}}
    yield {"graphics": {"type": "spice", "gl": {"enable": True}, "listen": "none"}}
    yield {"graphics": {"type": "vnc"}, "moreGraphics": [{"type": "spice"}]}
    yield {"graphics": {"type": "spice"}, "moreGraphics": [{"type": "vnc"}]}
    yield {"graphics": {"type": "vnc"}, "moreGraphics": [{"type": "egl-headless"}]}
    yield {"graphics": {"type": "vnc"}, "moreGraphics": [{"type": "dbus"}]}
    yield {"graphics": {"type": "vnc"}, "moreGraphics": [{"type": "sdl"}]}
    yield {
        "graphics": {"type": "vnc"},
        "moreGraphics": [{"type": "spice", "channels": [{"name": "main", "mode": "secure"}]}],
    }


# Nothing beside what is declared: a machine that has other channels and inputs too is no document's alone.
DOCUMENTS: Final = {"VirtualMachine": tuple({**each, "defaults": "libvirt"} for each in _documents())}

_OWN: Final[Mapping[str, tuple[Any, ...]]] = {
    **{
        f"{name}.{field}": values
        for name in ("graphics", "moreGraphics")
        for field, values in {
            "port": (5931, 5932),
            "tlsPort": (5941, 5942),
            "websocket": (5951, 5952),
            "socket": ("/srv/a.sock", "/srv/b.sock"),
            "keymap": ("de", "en-us"),
            "gl.renderNode": ("/dev/dri/renderD128", "/dev/dri/renderD129"),
            "channels": ([{"name": "main", "mode": "secure"}], [{"name": "inputs", "mode": "insecure"}]),
        }.items()
    },
    "moreGraphics.listen": ("127.0.0.1", "0.0.0.0"),
    "moreGraphics.display": (":0", ":1"),
    "moreGraphics.busAddress": ("unix:path=/run/a", "unix:path=/run/b"),
    "hostDevices.pci": ("0000:00:19.0", "0000:01:00.1"),
    "hostDevices.usb": ("046d:c52b", "046d:c52c"),
    "hostDevices.scsi": ("0:0:0:1", "1:0:0:1"),
    "hostDevices.mdev": ("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31"),
    "hostDevices.vhost": ("naa.5123456789abcde0", "naa.5123456789abcde1"),
    "hostDevices.rom.file": ("/srv/a.rom", "/srv/b.rom"),
    "channels.name": ("org.example.a", "org.example.b"),
    "sounds.codecs": (["duplex"], ["micro", "output"]),
    "audios.path": ("/srv/a.wav", "/srv/b.wav"),
    "audios.input.device": ("hw:0,0", "hw:1,0"),
    "audios.output.device": ("hw:0,0", "hw:1,0"),
    "inputs.evdev": ("/dev/input/event3", "/dev/input/event4"),
    "inputs.device": ("/dev/input/event3", "/dev/input/event4"),
    "shmems.name": ("a", "b"),
    "shmems.server": ("/srv/a.sock", "/srv/b.sock"),
    "tpm.encryption": ("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31"),
    "tpm.device": ("/dev/tpm0", "/dev/tpm1"),
    "tpm.socket": ("/srv/a.sock", "/srv/b.sock"),
    "filesystems.target": ("a", "b"),
    "filesystems.source": ("/srv/a", "/srv/b"),
    "filesystems.socket": ("/srv/a.sock", "/srv/b.sock"),
    "filesystems.fileMode": ("0600", "0644"),
    "filesystems.folderMode": ("0700", "0755"),
    "filesystems.binary": ("/srv/a", "/srv/b"),
    "videos.renderNode": ("/dev/dri/renderD128", "/dev/dri/renderD129"),
    "redirFilter.deviceClass": ("0x08", "0x0a"),
    "redirFilter.vendor": ("0x1234", "0x00ab"),
    "redirFilter.product": ("0x1234", "0x00ab"),
    "redirFilter.version": ("1.10", "2.00"),
    "smartcards.certificates": (["a", "b", "c"], ["a", "b", "d"]),
    **{f"videos.{name}": _SIZES for name in ("vram", "ram", "vgamem", "vram64")},
    "shmems.size": _SIZES,
    **{f"{name}.address": places for name, places in _PLACES.items()},
    **{f"{name}.alias": ("ua-a", "ua-b") for name in _PLACES if name not in ("smartcards", "nvramDevice")},
    **{f"{name}.path": ("/srv/a", "/srv/b") for name in _ALL_ENDS},
    **{f"{name}.connect": ("192.0.2.1:4555", "[fd00::1]:4556") for name in _ALL_ENDS},
    **{f"{name}.listen": ("127.0.0.1:4555", "[::1]:4556") for name in _ALL_ENDS},
    **{f"{name}.channel": ("org.example.a", "org.example.b") for name in _LINES},
    **{f"{name}.log.file": ("/srv/a.log", "/srv/b.log") for name in _LINES},
}
VALUES: Final = {f"VirtualMachine.{name}": values for name, values in _OWN.items()}
# Words of other machines than x86's, and what hangs on words that each go with one other alone.
KNOWN_TO_QEMU: Final[Mapping[str, list[str]]] = {
    "VirtualMachine.serials.target": ["isa-serial", "pci-serial", "usb-serial", "isa-debug"],
    "VirtualMachine.serials.model": [],
    "VirtualMachine.consoles.target": [],
    "VirtualMachine.shmems.model": [],
    "VirtualMachine.hostDevices.driver": [],
    "VirtualMachine.hostDevices.unfiltered": [],
    "VirtualMachine.hostDevices.model": [],
    "VirtualMachine.hostDevices.address": [],
    **{
        f"VirtualMachine.{name}.{field}": []  # for which the host needs certificates, or the machine another backend
        for name in ("graphics", "moreGraphics")
        for field in ("tlsPort", "audio")
    },
    "VirtualMachine.inputs.model": [],
    "VirtualMachine.smartcards.address": [],
    "VirtualMachine.iommu.model": [],
    "VirtualMachine.iommu.interruptRemapping": [],
    "VirtualMachine.iommu.eim": [],
    "VirtualMachine.iommu.address": [],
    "VirtualMachine.panics.model": ["isa", "hyperv"],
    "VirtualMachine.tpm.model": ["tpm-crb", "tpm-tis"],
    "VirtualMachine.tpm.address": [],
    "VirtualMachine.nvramDevice.address": [],
}
