"""The tiny guest of the tests: a bootable disk of some 40 MB made from Debian's own kernel and busybox.

It boots by BIOS and by UEFI, from virtio, SCSI and SATA disks, on i440fx and q35; takes an address by DHCP on eth0,
obeys the power button, prints `onggi-guest ready`, and then runs each line that comes over the serial port as a shell
command. It is built once per machine without root and kept in a cache under a hash of the recipe (this file and the
folder `guest/`). What a test does with it is left to the test; talking to it is left to `serial_console`.

`python -m tests.lab.guest_image` builds it when needed and prints its path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

GUEST = Path(__file__).parent / "guest"
KERNEL = "linux-image-amd64"  # the general kernel: the cloud one has no SATA and no USB
MODULES = (
    # buses and disks
    "virtio_pci", "virtio_blk", "virtio_scsi", "ata_piix", "ahci", "sd_mod", "sr_mod", "usb_storage",
    "xhci_pci", "ehci_pci", "uhci_hcd",
    # network
    "virtio_net", "e1000", "e1000e",
    # memory, entropy, power button
    "virtio_balloon", "virtio_rng", "button", "evdev",
    # file systems: the seed CD, and the boot partition, where a test can leave a file behind
    "isofs", "vfat", "nls_cp437", "nls_ascii", "nls_utf8",
)  # fmt: skip
SECTOR = 512
FIRST_SECTOR = 2048
PARTITION_MIB = 40
SYSLINUX_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
SYSLINUX_EFI = Path("/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi")
SYSLINUX_EFI_CORE = Path("/usr/lib/syslinux/modules/efi64/ldlinux.e64")
BUSYBOX = Path("/bin/busybox")


def recipe_digest() -> str:
    """Names the image that this recipe makes: 12 hex digits over this file and everything in `guest/`."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for part in sorted(GUEST.iterdir()):
        digest.update(part.name.encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()[:12]


def cached_image() -> Path:
    """The image as a qcow2 file, built now if this machine has none yet (about 15 s and one download of 70 MB).

    The cache is `$XDG_CACHE_HOME/onggi` where that is set, `.cache/` of the work tree otherwise.
    """
    xdg = os.environ.get("XDG_CACHE_HOME")
    cache = Path(xdg) / "onggi" if xdg else Path(__file__).parents[2] / ".cache"
    cache.mkdir(parents=True, exist_ok=True)
    image = cache / f"guest-{recipe_digest()}.qcow2"
    with (cache / "guest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers wait for the one that builds
        if not image.exists():
            for outdated in cache.glob("guest-*.qcow2"):
                outdated.unlink()
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _build(Path(folder)).rename(image)
    return image


def _build(folder: Path) -> Path:
    """Download, pack and write the image into `folder`; the path of the finished qcow2."""
    kernel_root = _unpack_kernel(folder)
    (vmlinuz,) = (kernel_root / "boot").glob("vmlinuz-*")
    version = vmlinuz.name.removeprefix("vmlinuz-")
    return _write_disk(folder, vmlinuz, _pack_initrd(folder, kernel_root, version))


def _unpack_kernel(folder: Path) -> Path:
    """Debian's current kernel, unpacked but not installed."""
    try:
        package = _download_kernel(folder)
    except RuntimeError:
        if os.geteuid() != 0:
            raise
        _run("apt-get", "update", "-q")  # the package lists are missing, or older than the archive
        package = _download_kernel(folder)
    root = folder / "kernel"
    _run("dpkg-deb", "-x", str(package), str(root))
    _run("/sbin/depmod", "-b", str(root), next((root / "lib/modules").iterdir()).name)
    return root


def _download_kernel(folder: Path) -> Path:
    depends = _run("apt-cache", "depends", "--important", KERNEL)
    packages = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image-" in line]
    if not packages:
        raise RuntimeError(f"apt knows no {KERNEL}: run `apt-get update`, and check that apt's sources have it")
    _run("apt-get", "download", "-q", packages[0], cwd=folder)
    return next(folder.glob("*.deb"))


def _module_order(kernel_root: Path, version: str) -> list[Path]:
    """The wanted modules and what they need, in an order in which each can be loaded. Built-in ones have no file."""
    order: dict[Path, None] = {}
    for name in MODULES:
        steps = _run("/sbin/modprobe", "-d", str(kernel_root), "-S", version, "--show-depends", name)
        for step in steps.splitlines():
            verb, _, rest = step.partition(" ")
            if verb == "insmod":
                order[Path(rest.split()[0])] = None
    return list(order)


def _pack_initrd(folder: Path, kernel_root: Path, version: str) -> Path:
    root = folder / "initrd-root"
    for name in ("bin", "proc", "sys", "dev", "modules", "etc/acpi/PWRF"):
        (root / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    places = {"init": "init", "seed": "bin/seed", "power-button": "etc/acpi/PWRF/00000080",
              "udhcpc.script": "etc/udhcpc.script", "mdev.conf": "etc/mdev.conf"}  # fmt: skip
    for source, place in places.items():
        shutil.copy(GUEST / source, root / place)
        (root / place).chmod(0o755)
    order = _module_order(kernel_root, version)
    for module in order:
        shutil.copy(module, root / "modules")
    (root / "modules/order").write_text("".join(f"{module.name}\n" for module in order))
    names = "".join(f"{path.relative_to(root)}\n" for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"],
        input=names.encode(), cwd=root, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    initrd = folder / "initrd"
    # Not compressed: under emulation, unpacking costs more than reading.
    initrd.write_bytes(archive.stdout)
    return initrd


def _write_disk(folder: Path, vmlinuz: Path, initrd: Path) -> Path:
    """One FAT partition with a boot loader for BIOS (in the boot sectors) and for UEFI (a file where it looks)."""
    raw = folder / "guest.raw"
    sectors = PARTITION_MIB * 1024 * 1024 // SECTOR
    with raw.open("wb") as disk:
        disk.write(SYSLINUX_MBR.read_bytes())
        disk.truncate((FIRST_SECTOR + sectors) * SECTOR)
    # 0x4f4e4747 ("ONGG") is the disk's id: a fixed one, so that two builds are alike.
    table = f"label: dos\nlabel-id: 0x4f4e4747\nstart={FIRST_SECTOR}, size={sectors}, type=c, bootable\n"
    _run("/sbin/sfdisk", "--quiet", "--no-tell-kernel", "--wipe", "never", str(raw), text=table)
    partition = f"{raw}@@{FIRST_SECTOR * SECTOR}"
    _run(
        "mformat",
        "-i",
        partition,
        "-T",
        str(sectors),
        "-H",
        str(FIRST_SECTOR),
        "-h",
        "255",
        "-s",
        "63",
        "-v",
        "ONGGI",
        "::",
    )
    _run("mmd", "-i", partition, "::/EFI", "::/EFI/BOOT")
    files = {vmlinuz: "::/vmlinuz", initrd: "::/initrd", GUEST / "syslinux.cfg": "::/syslinux.cfg",
             SYSLINUX_EFI: "::/EFI/BOOT/BOOTX64.EFI", SYSLINUX_EFI_CORE: "::/EFI/BOOT/ldlinux.e64"}  # fmt: skip
    for source, target in files.items():
        _run("mcopy", "-i", partition, str(source), target)
    _run("syslinux", "--install", "--offset", str(FIRST_SECTOR * SECTOR), str(raw))
    image = folder / "guest.qcow2"
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image))
    image.chmod(0o644)
    return image


def _run(*command: str, cwd: Path | None = None, text: str | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, input=text or "", text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed while building the guest image: {done.stderr or done.stdout}")
    return done.stdout


@pytest.fixture(scope="session")
def guest_image() -> Path:
    """The tiny guest's disk in the cache. Copy it, or use `guest_base`, before a VM has it: libvirt changes owners."""
    return cached_image()


@pytest.fixture
def guest_base(guest_image: Path, dir_pool_folder: Path) -> Iterator[Path]:
    """The tiny guest's disk inside `dir_pool_folder`: the base image (qcow2) of a VM's disk."""
    base = dir_pool_folder / "guest-base.qcow2"
    shutil.copy(guest_image, base)
    base.chmod(0o644)
    yield base
    base.unlink(missing_ok=True)


if __name__ == "__main__":
    print(cached_image())
