"""What a host answers beside its snapshot: pictures of screens, and its network interfaces."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from reconciler.errors import NotFound, Refused, Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.host.kernel_interfaces import kernel_interfaces
from reconciler.observed.pictures import black, png, thumbnail
from reconciler.planning.operations import Start
from specs.reference import Ref
from tests.hypervisor.conftest import Made, machine

Paused = Callable[..., Made]

ROOT = Path(__file__).parents[2]


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image


@pytest.mark.qemu
def test_a_machine_shows_its_screen(qemu_host: Hypervisor, paused_machine: Paused) -> None:
    web = paused_machine("web", devices="<video><model type='vga'/></video><graphics type='vnc' listen='127.0.0.1'/>")
    picture = opened(qemu_host.screenshot(web.ref))
    assert picture.format == "PNG"
    assert min(picture.size) >= 300


@pytest.mark.qemu
def test_a_machine_without_a_screen_shows_black(qemu_host: Hypervisor, paused_machine: Paused) -> None:
    web = paused_machine("web", devices="<video><model type='none'/></video>")
    assert opened(qemu_host.screenshot(web.ref)).convert("L").getextrema() == (0, 0)


def test_the_test_driver_shows_its_picture_and_nothing_of_what_does_not_run(test_host: Hypervisor) -> None:
    web = machine("web", kind="test")
    test_host.perform(web.define)
    with pytest.raises(Refused) as refused:
        test_host.screenshot(web.ref)
    assert refused.value.reason == "MachineNotRunning"
    test_host.perform(Start(web.ref))
    assert opened(test_host.screenshot(web.ref)).format == "PNG"
    with pytest.raises(NotFound):
        test_host.screenshot(Ref("VirtualMachine", "nobody"))


def test_a_portable_pixmap_becomes_a_png_with_the_same_dots() -> None:
    pixmap = b"P6\n2 1\n255\n" + bytes((255, 0, 0, 0, 255, 0))
    image = opened(png(pixmap))
    assert (image.format, image.size) == ("PNG", (2, 1))
    assert [image.getpixel((x, 0)) for x in (0, 1)] == [(255, 0, 0), (0, 255, 0)]


@pytest.mark.parametrize(("size", "small"), [((1024, 512), (256, 128)), ((300, 900), (85, 256)), ((64, 40), (64, 40))])
def test_a_thumbnail_keeps_the_proportions(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert opened(thumbnail(black(size))).size == small


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"P6\n100000 100000\n255\n",
        b"P6\n-1 5\n255\n",
        b"P6\n9 9\n255\nshort",
        black()[:200],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
    ],
)
def test_what_is_no_picture_is_refused(hostile: bytes) -> None:
    with pytest.raises(Terminal):
        png(hostile)


def test_the_test_driver_lists_its_interface(tmp_path: Path) -> None:
    host = Hypervisor.open("test:///default")
    try:
        (eth1,) = host.host_interfaces()
    finally:
        host.close()
    assert (eth1.name, eth1.type, eth1.active) == ("eth1", "nic", True)
    assert (eth1.ipaddr, eth1.netmask) == ("192.168.0.5", "255.255.255.0")


@pytest.mark.qemu
def test_the_real_host_lists_what_the_kernel_has(qemu_host: Hypervisor) -> None:
    shown = json.loads(subprocess.run(["ip", "-j", "-4", "addr"], capture_output=True, check=True).stdout)
    (loopback,) = (link for link in shown if link["ifname"] == "lo")
    found = {each.name: each for each in qemu_host.host_interfaces()}
    assert found["lo"].type == "unknown"
    assert found["lo"].ipaddr == loopback["addr_info"][0]["local"]
    real = {path.parent.name for path in Path("/sys/class/net").glob("*/device")}
    assert {name for name, each in found.items() if each.type == "nic"} == real
    assert list(found) == sorted(found)


def test_bridges_bonds_and_vlans_have_parts(tmp_path: Path) -> None:
    files = {
        "br0/brif/eth0/port_no": "1",
        "br0/bridge/stp_state": "0",
        "br0/operstate": "up",
        "bond0/bonding/slaves": "eth2 eth1",
        "bond0/operstate": "down",
        "eth0/device/uevent": "",
        "eth0/operstate": "up",
        "eth0.5/uevent": "DEVTYPE=vlan\nINTERFACE=eth0.5\n",
        "eth0.5/lower_eth0/x": "",
        "dummy0/operstate": "unknown",
        "dummy0/flags": "0x83",
        "tun0/flags": "nonsense",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = kernel_interfaces(tmp_path)
    assert {name: (each.type, each.active, each.parts) for name, each in found.items()} == {
        "br0": ("bridge", True, ("eth0",)),
        "bond0": ("bonding", False, ("eth1", "eth2")),
        "eth0": ("nic", True, ()),
        "eth0.5": ("vlan", False, ("eth0",)),
        "dummy0": ("unknown", True, ()),
        "tun0": ("unknown", False, ()),
    }
    assert kernel_interfaces(tmp_path / "gone") == {}


LOOK = """
import json
from reconciler.hypervisor.host.kernel_interfaces import kernel_interfaces
print(json.dumps({name: [each.type, each.ipaddr, each.netmask, each.active, each.parts]
                  for name, each in kernel_interfaces().items()}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make network namespaces")
def test_a_real_bridge_is_read_from_the_kernel() -> None:
    script = f"""mount -t sysfs sysfs /sys && ip link add br9 type bridge && ip link add v0 type veth peer name v1 &&
      ip link set v0 master br9 && ip addr add 10.9.8.7/20 dev br9 && ip link set br9 up && ip link set v0 up &&
      ip link set v1 up && exec {sys.executable} -c '{LOOK}'"""
    command = ["unshare", "--net", "--mount", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["br9"][0] == "bridge"
    assert found["br9"][1:3] == ["10.9.8.7", "255.255.240.0"]
    assert found["br9"][4] == ["v0"]
    assert found["v0"][0] == "unknown"
