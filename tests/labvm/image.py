"""The lab: a machine of its own with a whole Debian kernel, libvirtd, QEMU, and servers of NFS and iSCSI.

It has what the machine that runs the tests may lack: IOMMU groups, device-mapper, an NFS client, iSCSI, VLANs. Its disk
is built once per machine, from that machine's own apt sources, and kept in a cache under a hash of the recipe (this
file, `init` and the folder `tree/`, which is copied over the packages). Nothing is mounted or booted for it, and the
kernel lies beside the disk, so that it needs no boot loader. Running it is left to `machine`.

`python -m tests.labvm.image` builds it when needed and prints its folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TREE, INIT = HERE / "tree", HERE / "init"
PACKAGES = (
    "systemd-sysv", "udev", "dbus", "kmod", "iproute2", "linux-image-amd64", "libvirt-daemon-system",
    "qemu-system-x86", "qemu-utils", "nfs-kernel-server", "lvm2", "open-iscsi", "tgt",
)  # fmt: skip
# What would be unpacked, or loaded by udev, for nothing: under emulation each driver costs.
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/bin/qemu-system-i386",
    *(f"/lib/modules/*/kernel/{each}/*" for each in (
        "sound", "arch/x86", "drivers/gpu", "drivers/media", "drivers/net/wireless", "drivers/iio", "drivers/staging",
        "drivers/infiniband", "drivers/hwmon", "drivers/platform",
    )),
)  # fmt: skip
ENABLED = (
    "systemd-networkd.service", "libvirtd.service", "libvirtd-tcp.socket", "nfs-server.service", "tgt.service",
    "lab-ready.service",
)  # fmt: skip
MASKED = (
    "libvirtd-tls.socket", "libvirt-guests.service", "systemd-networkd-wait-online.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "logrotate.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "fstrim.timer", "getty@tty1.service",
)  # fmt: skip
FOR_THE_DISK = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
BUSYBOX = Path("/bin/busybox")
SIZE, LUN_SIZE = 3 << 30, 64 << 20


@dataclass(frozen=True)
class Image:
    """What QEMU boots: a disk that nobody writes to, and what goes before it."""

    disk: Path
    kernel: Path
    initrd: Path


def recipe_digest() -> str:
    """Names the image that this recipe makes: 12 hex digits over everything that goes into it."""
    digest = hashlib.sha256()
    for part in (Path(__file__), INIT, *sorted(TREE.rglob("*"))):
        if part.is_file():
            digest.update(str(part.relative_to(HERE)).encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()[:12]


def cached_image() -> Image:
    """The image, built now if this machine has none yet (a minute or two, and downloads of 170 MB).

    The cache is `$XDG_CACHE_HOME/onggi` where that is set, `.cache/` of the work tree otherwise.
    """
    xdg = os.environ.get("XDG_CACHE_HOME")
    cache = Path(xdg) / "onggi" if xdg else HERE.parents[1] / ".cache"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"lab-{recipe_digest()}"
    with (cache / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for outdated in cache.glob("lab-*"):
                shutil.rmtree(outdated)
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                _build(Path(scratch)).rename(folder)
    return Image(folder / "disk", folder / "kernel", folder / "initrd")


def _build(scratch: Path) -> Path:
    """Installs the packages into a folder and makes a disk of it; the folder with the finished files."""
    if os.geteuid() != 0:
        raise RuntimeError("the lab's files belong to root and to users of its own: build it as root")
    root, done = scratch / "root", scratch / "done"
    done.mkdir()
    _install(root)
    _set_up(root)
    version = next((root / "lib/modules").iterdir()).name
    shutil.copy(root / f"boot/vmlinuz-{version}", done / "kernel")
    _pack_initrd(scratch / "initrd", root, version, done / "initrd")
    disk = done / "disk"
    with disk.open("wb") as file:
        file.truncate(SIZE)  # with holes: what isn't used takes no room
    _run("/sbin/mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", str(root), str(disk))
    return done


def _install(root: Path) -> None:
    without = [f"--dpkgopt=path-exclude={each}" for each in LEFT_OUT]
    _run(
        "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--format=directory",
        f"--include={','.join(PACKAGES)}", "--dpkgopt=force-unsafe-io", *without,
        "--aptopt=APT::Install-Recommends false", "", str(root), "-",
        text=_sources(), environment={"INITRD": "No"},  # the lab has an initrd of its own
    )  # fmt: skip


def _sources() -> str:
    """Those of this machine's apt sources that are Debian's, each a line for sources.list."""
    line = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    ask = ("apt-get", "indextargets", "Created-By: Packages", "Origin: Debian", "--format", line)
    found = _run(*ask)
    if not found:
        _run("apt-get", "update", "-q")  # only lists that are there tell whose they are
        found = _run(*ask)
    if not found:
        raise RuntimeError("apt has no sources of Debian's, from which the lab could be installed")
    return found


def _set_up(root: Path) -> None:
    shutil.copytree(TREE, root, dirs_exist_ok=True, copy_function=shutil.copyfile)
    (root / "srv/nfs").mkdir(parents=True)
    with (root / "srv/iscsi.img").open("wb") as lun:
        lun.truncate(LUN_SIZE)
    _run("chroot", str(root), "systemctl", "enable", *ENABLED)
    _run("chroot", str(root), "systemctl", "mask", *MASKED)


def _pack_initrd(tree: Path, root: Path, version: str, initrd: Path) -> None:
    for name in ("bin", "dev", "modules", "root"):
        (tree / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin/busybox")
    shutil.copy(INIT, tree / "init")
    (tree / "init").chmod(0o755)
    order: dict[str, None] = {}
    for name in FOR_THE_DISK:
        steps = _run("/sbin/modprobe", "-d", str(root), "-S", version, "--show-depends", name)
        order |= dict.fromkeys(step.split()[1] for step in steps.splitlines() if step.startswith("insmod "))
    for module in order:
        shutil.copy(module, tree / "modules")
    (tree / "modules/order").write_text("".join(f"{Path(module).name}\n" for module in order))
    names = "".join(f"{path.relative_to(tree)}\n" for path in sorted(tree.rglob("*")))
    with initrd.open("wb") as file:
        subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"],
            input=names.encode(), cwd=tree, stdout=file, check=True,
        )  # fmt: skip


def _run(*command: str, text: str = "", environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, input=text, text=True, capture_output=True, check=False, env=os.environ | (environment or {})
    )
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed while building the lab: {done.stderr[-4000:] or done.stdout}")
    return done.stdout


if __name__ == "__main__":
    print(cached_image().disk.parent)
