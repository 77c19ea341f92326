"""The lab as a running machine: QEMU under TCG, its libvirtd reachable on a port of the loopback and by nobody else.

It has, beside the disk that it runs from, an empty disk for a volume group, a PCI NIC behind a port of its own, a
tablet on USB, and a NIC without an address. It can't reach anything outside: its only network is the way in. Nothing
that is done in it stays, because what it writes goes to a file that QEMU forgets.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import libvirt

from tests.lab.ports import free_port
from tests.lab.waiting import until
from tests.labvm.image import Image

READY = "onggi-lab ready"  # what lab-ready.service prints
LIBVIRT_PORT = 16509
GROUP_DISK = "/dev/vdb"
GROUP_SIZE = 256 << 20
BOOT_TIMEOUT_S = 400
# no_timer_check: the kernel counts the ticks of its timer at first, and panics where a busy host lets them be too few.
# panic=-1: a panic ends QEMU, and with that the waiting.
KERNEL_LINE = (
    "root=/dev/vda rw console=ttyS0 quiet panic=-1 no_timer_check apparmor=0 mitigations=off net.ifnames=0 "
    "intel_iommu=on iommu=pt systemd.getty_auto=no systemd.show_status=no"
)


@dataclass(frozen=True)
class Lab:
    """`uri` is for libvirt's clients; `log` is all that it printed on its serial port."""

    uri: str
    log: Path


@contextmanager
def running_lab(image: Image, folder: Path) -> Iterator[Lab]:
    """Starts it, waits until its libvirtd answers, and ends it; `folder` is for its log and its second disk."""
    port, log, errors = free_port(), folder / "serial.log", folder / "qemu.log"
    group = folder / "group"
    with group.open("wb") as file:
        file.truncate(GROUP_SIZE)
    lab = Lab(f"qemu+tcp://127.0.0.1:{port}/system", log)
    with errors.open("wb") as output:
        process = subprocess.Popen(_command(image, group, log, port), stdin=subprocess.DEVNULL, stderr=output)
    try:
        _wait(lab, process, errors)
        yield lab
    finally:
        process.kill()
        process.wait()


def _command(image: Image, group: Path, log: Path, port: int) -> list[str]:
    disk = "format=raw,if=none,snapshot=on,cache=unsafe"
    return [
        # Should the tests be killed, it goes as well.
        "setpriv", "--pdeathsig", "KILL",
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-machine", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2",
        "-m", "2048", "-serial", f"file:{log}",
        "-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", KERNEL_LINE,
        "-device", "intel-iommu,caching-mode=on",
        "-drive", f"file={image.disk},id=root,{disk}", "-device", "virtio-blk-pci,drive=root",
        "-drive", f"file={group},id=group,{disk}", "-device", "virtio-blk-pci,drive=group",
        "-netdev", f"user,id=way-in,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{LIBVIRT_PORT}",
        "-device", "virtio-net-pci,netdev=way-in,mac=52:54:00:6f:6e:01",
        "-netdev", "hubport,id=trunk,hubid=1", "-device", "virtio-net-pci,netdev=trunk,mac=52:54:00:6f:6e:02",
        "-netdev", "hubport,id=card,hubid=2", "-device", "pcie-root-port,id=behind,chassis=1",
        "-device", "e1000e,bus=behind,netdev=card,mac=52:54:00:6f:6e:03",
        "-device", "qemu-xhci,id=usb", "-device", "usb-tablet,bus=usb.0",
    ]  # fmt: skip


def _wait(lab: Lab, process: subprocess.Popen[bytes], errors: Path) -> None:
    def is_up() -> bool:
        return process.poll() is not None or READY in _text(lab.log)

    try:
        until(is_up, BOOT_TIMEOUT_S, "the lab tells that it's ready", every_s=0.25)
        assert process.poll() is None, f"QEMU ended with {process.returncode}"
        # From here on something listens: before, a connection would only hang.
        libvirt.open(lab.uri).close()
    except (AssertionError, libvirt.libvirtError) as error:
        raise AssertionError(
            f"the lab isn't up: {error}\nQEMU says: {_text(errors)}\nits serial port: {_text(lab.log)[-8000:]}"
        ) from error


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
