"""The cloud guest of the tests: Debian's cloud kernel and Debian's cloud-init on a bootable disk, and little else.

Its kernel has no driver for SATA and USB, as in the images that clouds offer; whom it serves it only has from a seed.
It gives the tiny guest's command loop on its serial line, once cloud-init has set users, keys and addresses.

It is built once per machine, from that machine's own apt sources, and kept in a cache under a hash of the recipe (this
file and the folder `cloud/`). What a test does with it is left to the test.

`python -m tests.lab.cloud_image` builds it when needed and prints its path.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.lab.guest_image import BUSYBOX, FIRST_SECTOR, SECTOR, SYSLINUX_MBR, _run
from tests.labvm.image import _sources

CLOUD = Path(__file__).parent / "cloud"
PACKAGES = ("systemd-sysv", "udev", "dbus", "kmod", "iproute2", "netplan.io", "cloud-init", "linux-image-cloud-amd64")
# What an initramfs of Debian's loads before the root file system is there, and a seed's file system.
MODULES = ("virtio_pci", "virtio_blk", "virtio_scsi", "sr_mod", "isofs", "crc32c_generic")
# What would be unpacked, or loaded by udev, for nothing: under emulation each driver costs.
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*",
    *(f"/lib/modules/*/kernel/{each}/*" for each in ("sound", "arch/x86", "crypto", "drivers/cpufreq", "drivers/gpu")),
)  # fmt: skip
ENABLED = ("systemd-networkd.service", "onggi-commands.service")
MASKED = (
    "serial-getty@ttyS0.service", "getty@tty1.service", "systemd-networkd-wait-online.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    # cloud-init's stages for packages and scripts: they take as long again, and talk on the serial line.
    "cloud-config.service", "cloud-final.service",
)  # fmt: skip
BOOT_MIB, ROOT_MIB = 40, 1024
SECTORS_PER_MIB = (1 << 20) // SECTOR


def recipe_digest() -> str:
    """Names the image that this recipe makes: 12 hex digits over this file and everything in `cloud/`."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for part in sorted(CLOUD.iterdir()):
        digest.update(part.name.encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()[:12]


def cached_image() -> Path:
    """The image as a qcow2 file, built now if this machine has none yet (about a minute, and downloads of 90 MB).

    The cache is `$XDG_CACHE_HOME/onggi` where that is set, `.cache/` of the work tree otherwise.
    """
    xdg = os.environ.get("XDG_CACHE_HOME")
    cache = Path(xdg) / "onggi" if xdg else Path(__file__).parents[2] / ".cache"
    cache.mkdir(parents=True, exist_ok=True)
    image = cache / f"cloud-{recipe_digest()}.qcow2"
    with (cache / "cloud.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers wait for the one that builds
        if not image.exists():
            for outdated in cache.glob("cloud-*.qcow2"):
                outdated.unlink()
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _build(Path(folder)).rename(image)
    return image


def _build(folder: Path) -> Path:
    if os.geteuid() != 0:
        raise RuntimeError("the cloud guest's files belong to root and to users of its own: build it as root")
    root = folder / "root"
    _install(root)
    version = next((root / "lib/modules").iterdir()).name
    initrd = _pack_initrd(folder, root, version)
    return _write_disk(folder, root, root / f"boot/vmlinuz-{version}", initrd)


def _install(root: Path) -> None:
    without = [f"--dpkgopt=path-exclude={each}" for each in LEFT_OUT]
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--format=directory",
         f"--include={','.join(PACKAGES)}", "--dpkgopt=force-unsafe-io", *without,
         "--aptopt=APT::Install-Recommends false", "", str(root), "-"],
        input=_sources(), env=os.environ | {"INITRD": "No"}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"mmdebstrap failed while building the cloud guest: {done.stderr[-4000:]}")
    shutil.copy(CLOUD / "commands", root / "usr/local/sbin/onggi-commands")
    shutil.copy(CLOUD / "onggi-commands.service", root / "etc/systemd/system")
    _run("chroot", str(root), "systemctl", "enable", *ENABLED)
    _run("chroot", str(root), "systemctl", "mask", *MASKED)


def _pack_initrd(folder: Path, root: Path, version: str) -> Path:
    tree = folder / "initrd-root"
    for name in ("bin", "dev", "modules", "root"):
        (tree / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin/busybox")
    shutil.copy(CLOUD / "init", tree / "init")
    (tree / "init").chmod(0o755)
    _run("/sbin/depmod", "-b", str(root), version)
    order: dict[str, None] = {}
    for name in MODULES:
        steps = _run("/sbin/modprobe", "-d", str(root), "-S", version, "--show-depends", name)
        order |= dict.fromkeys(step.split()[1] for step in steps.splitlines() if step.startswith("insmod "))
    for module in order:
        shutil.copy(module, tree / "modules")
    (tree / "modules/order").write_text("".join(f"{Path(module).name}\n" for module in order))
    names = "".join(f"{path.relative_to(tree)}\n" for path in sorted(tree.rglob("*")))
    initrd = folder / "initrd"
    with initrd.open("wb") as file:
        subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"],
            input=names.encode(), cwd=tree, stdout=file, check=True,
        )  # fmt: skip
    return initrd


def _write_disk(folder: Path, root: Path, vmlinuz: Path, initrd: Path) -> Path:
    """A FAT partition with a boot loader for BIOS, and one of ext4 with the system."""
    raw = folder / "cloud.raw"
    boot, system = BOOT_MIB * SECTORS_PER_MIB, ROOT_MIB * SECTORS_PER_MIB
    first = FIRST_SECTOR + boot
    with raw.open("wb") as disk:
        disk.write(SYSLINUX_MBR.read_bytes())
        disk.truncate((first + system) * SECTOR)
    # 0x4f4e4743 ("ONGC") is the disk's id: a fixed one, so that two builds are alike.
    table = (
        f"label: dos\nlabel-id: 0x4f4e4743\nstart={FIRST_SECTOR}, size={boot}, type=c, bootable\n"
        f"start={first}, size={system}, type=83\n"
    )
    _run("/sbin/sfdisk", "--quiet", "--no-tell-kernel", "--wipe", "never", str(raw), text=table)
    partition = f"{raw}@@{FIRST_SECTOR * SECTOR}"
    layout = ("-T", str(boot), "-H", str(FIRST_SECTOR), "-h", "255", "-s", "63")
    _run("mformat", "-i", partition, *layout, "-v", "ONGGI", "::")
    files = {vmlinuz: "::/vmlinuz", initrd: "::/initrd", CLOUD / "syslinux.cfg": "::/syslinux.cfg"}
    for source, target in files.items():
        _run("mcopy", "-i", partition, str(source), target)
    _run("syslinux", "--install", "--offset", str(FIRST_SECTOR * SECTOR), str(raw))
    shutil.rmtree(root / "boot")
    options = f"offset={first * SECTOR}"
    _run("/sbin/mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", options, "-d", str(root), str(raw), f"{ROOT_MIB}M")
    image = folder / "cloud.qcow2"
    _run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image))
    image.chmod(0o644)
    return image


@pytest.fixture(scope="session")
def cloud_image() -> Path:
    """The cloud guest's disk in the cache. Copy it before a VM has it: libvirt changes owners."""
    return cached_image()


if __name__ == "__main__":
    print(cached_image())
