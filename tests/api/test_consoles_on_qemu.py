"""Consoles of a machine of the real hypervisor, by TLS and after a login; its screen listens nowhere and has
a password that nobody is asked for here.

One guest serves all that is to be seen of it: it boots once.
"""

from __future__ import annotations

import base64
import io
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import libvirt
import pytest
from PIL import Image, ImageChops
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.consoles import opened, ticket
from tests.api.live import LiveApi, live_api
from tests.lab.certificates import made_certificate
from tests.lab.libvirtd import HostObjects
from tests.lab.people import ADMIN, OPERATOR, VIEWER, logins_of_each_role, proof
from tests.lab.repositories import Repository
from tests.lab.viewer import Viewer
from tests.lab.waiting import until

pytestmark = pytest.mark.qemu

MACHINE = """
<domain type='qemu'>
  <name>{name}</name><memory unit='MiB'>192</memory>
  <os><type machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>
      <target dev='vda' bus='virtio'/></disk>
    <serial type='pty'/><console type='pty'/>
    <graphics type='vnc' passwd='unasked'><listen type='none'/></graphics>
    <video><model type='vga'/></video>
  </devices>
</domain>"""


@dataclass
class Lab:
    """The API, and the guest's name and domain."""

    api: LiveApi
    name: str
    domain: libvirt.virDomain
    context: ssl.SSLContext

    def open(self, who: httpx.BasicAuth, **wanted: object) -> ClientConnection:
        """A console, by somebody's password."""
        url = ticket(self.api, self.name, auth=who, **wanted)
        return opened(self.api, url, headers=proof(who), context=self.context)

    def open_by_name(self, who: httpx.BasicAuth) -> ClientConnection:
        """Its screen, as clients of Kimchi open it."""
        ticket(self.api, self.name, auth=who)
        token = base64.urlsafe_b64encode(self.name.encode()).decode()
        return opened(self.api, f"/websockify?token={token}", headers=proof(who), context=self.context)


@pytest.fixture
def lab(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects, guest_base: Path,
    repository: Repository, tmp_path: Path,
) -> Iterator[Lab]:  # fmt: skip
    disk = guest_base.with_name("disk.qcow2")
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", guest_base, disk], check=True, timeout=60
    )
    name = host_objects.name("vm")
    domain = qemu_connection.defineXML(MACHINE.format(name=name, disk=disk))
    domain.create()
    repository.commit({}, "Begin")
    files = made_certificate(tmp_path / "tls", "localhost", "127.0.0.1")
    with live_api(repository, tmp_path / "state", qemu_system, logins=logins_of_each_role(), certificate=files) as api:
        context = ssl.create_default_context(cafile=str(files[0]))
        with httpx.Client(base_url=api.url, verify=context, timeout=120) as api.client:
            yield Lab(api, name, domain, context)


def test_a_guests_screen_and_shell_in_the_browsers_reach(lab: Lab) -> None:
    asked = lab.api.client.post(f"/vms/{lab.name}/connect", auth=OPERATOR).json()
    assert lab.api.serving.world.snapshot.get(Ref(VIRTUAL_MACHINE, lab.name)).config["graphics"]["listen"] == "none"
    assert (asked["console"]["kind"], asked["console"]["password"], asked["graphics"]["port"]) == ("vnc", None, None)

    with lab.open(OPERATOR, kind="serial") as line, lab.open(VIEWER) as watched:
        wait_for(line, "onggi-guest ready")
        viewer = Viewer(watched)
        until(lambda: alike(viewer.picture(), screenshot(lab)), 60, "a viewer sees what libvirt takes a picture of")
        with lab.open_by_name(OPERATOR) as named:
            assert Viewer(named).size == viewer.size
        line.send(b"echo $((6 * 7))-there\n")
        assert "42-there" in wait_for(line, "42-there")
        taken = lab.api.client.post(f"/vms/{lab.name}/connect", json={"kind": "serial"}, auth=OPERATOR)
        assert taken.status_code == 409 and "otto is at the serial line" in taken.text
        with lab.open(ADMIN, kind="serial", take_over=True) as third:
            assert end_of(line) == (4009, "Taken over by ada.")
            third.send(b"poweroff -f\n")
            assert end_of(third) == end_of(watched) == (4001, "The machine stopped, or its console was closed.")


def wait_for(line: ClientConnection, text: str) -> str:
    came, until_s = "", time.monotonic() + 300
    while text not in came:
        came += line.recv(max(0.1, until_s - time.monotonic()), decode=False).decode(errors="replace")
    return came


def end_of(console: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            console.recv(60)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


def screenshot(lab: Lab) -> Image.Image:
    png = lab.api.serving.hypervisor.screenshot(Ref(VIRTUAL_MACHINE, lab.name))
    return Image.open(io.BytesIO(png)).convert("RGB")


def alike(one: Image.Image, other: Image.Image) -> bool:
    """But for a cursor that blinks; and something is to be seen."""
    if one.size != other.size or not any(high > 0 for _, high in one.getextrema()):
        return False
    box = ImageChops.difference(one, other).getbbox()
    return box is None or (box[2] - box[0]) * (box[3] - box[1]) <= 16 * 16
