"""What virt-install makes of its options is exported, lost, and made again as it was.

It only prints what it would define, so that no machine without a system is started; libvirt then defines that.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.hypervisor import Hypervisor
from specs.reference import STORAGE_POOL, Ref
from tests.corpus.host import make_volumes
from tests.corpus.rebuilding import rebuild
from tests.corpus.test_empty_plan import assert_at_rest
from tests.corpus.test_rebuilt import assert_same
from tests.lab.libvirtd import QEMU_SYSTEM, HostObjects

LIMIT_S = 120
IMAGES = ["root.qcow2", "data.img", "install.iso"]
# Few machines with many options each: every call takes a second.
MACHINES = {
    "server": """--vcpus 2,maxvcpus=4,sockets=2,cores=2,threads=1 --memory 128,maxmemory=256 --osinfo generic
        --cpu host-model --machine q35 --disk @IMAGES@/root.qcow2,bus=virtio,cache=none,discard=unmap,serial=ROOT
        --disk @IMAGES@/data.img,bus=scsi,io=threads --controller type=scsi,model=virtio-scsi
        --network network=default,model=virtio,mac=52:54:00:6d:00:01 --graphics none --serial pty --console pty
        --rng /dev/urandom --memballoon virtio --watchdog i6300esb,action=reset --panic isa
        --channel unix,target.type=virtio,target.name=org.qemu.guest_agent.0 --metadata title=Server""",
    "desktop": """--vcpus 2 --memory 256 --osinfo generic --machine pc --features apic=on,pae=on
        --disk @IMAGES@/root.qcow2,bus=ide --disk @IMAGES@/install.iso,device=cdrom,bus=ide
        --network bridge=br0,model=e1000
        --graphics spice,listen=127.0.0.1 --video qxl --sound ich6 --input tablet,bus=usb --redirdev usb,type=spicevmc
        --smartcard passthrough,type=spicevmc --clock offset=localtime --boot hd,cdrom,menu=on""",
    "secure": """--vcpus 1 --memory 128 --osinfo generic --machine q35 --boot uefi
        --disk @IMAGES@/root.qcow2,bus=sata,readonly=off --network none --graphics vnc,port=5999,listen=127.0.0.1
        --tpm backend.type=emulator,backend.version=2.0,model=tpm-crb --vsock cid.auto=no,cid.address=77 --video virtio
        --sysinfo bios.vendor=ACME,system.product=Box --pm suspend_to_mem.enabled=no,suspend_to_disk.enabled=no
        --events on_crash=restart --idmap clearxml=yes""",
    "tuned": """--vcpus 4,vcpu.cpuset=0-1 --memory 512 --osinfo generic --machine q35 --iothreads 2
        --cputune vcpupin0.vcpu=0,vcpupin0.cpuset=0,shares=512 --memorybacking access.mode=shared,source.type=memfd
        --numatune 0,mode=preferred --blkiotune weight=300 --memtune hard_limit=1048576 --resource partition=/machine
        --cpu maximum --disk @IMAGES@/root.qcow2,bus=virtio,driver.iothread=1 --filesystem /srv/share,share
        --network user,model=virtio --graphics none --seclabel type=none
        --iommu model=intel,driver.intremap=on --features ioapic.driver=qemu""",
}


def made(words: str, images: Path, home: Path) -> str:
    """The XML of a machine that virt-install would define."""
    argv = ["virt-install", "--connect", QEMU_SYSTEM, "--virt-type", "qemu", "--name", "made", "--import"]
    argv += ["--noautoconsole", "--print-xml", "--check", "all=off", *words.replace("@IMAGES@", str(images)).split()]
    done = subprocess.run(
        argv,
        env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(home), "XDG_CACHE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr[-600:]
    return done.stdout.replace(str(images), "@IMAGES@")


@pytest.mark.parametrize("name", MACHINES)
def test_what_virt_install_made_is_made_again_as_it_was(
    name: str,
    qemu_system: str,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    tmp_path: Path,
) -> None:
    with opened(qemu_system) as hypervisor:
        make_volumes(hypervisor, Ref(STORAGE_POOL, host_objects.name("images")), dir_pool_folder, IMAGES)
    text = made(MACHINES[name], dir_pool_folder, tmp_path)
    host_objects.remove_all()  # the corpus brings its own
    found = rebuild(
        name, qemu_system, host_objects.prefix, dir_pool_folder, tmp_path, at_rest=assert_at_rest, text=text
    )
    assert_same(found)


@contextmanager
def opened(uri: str) -> Iterator[Hypervisor]:
    hypervisor = Hypervisor.open(uri)
    try:
        yield hypervisor
    finally:
        hypervisor.close()
