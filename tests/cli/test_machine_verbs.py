"""`onggi start`, `stop`, `restart`, `ip`, `logs` and `console`: one machine, by hand."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import libvirt
import pytest

from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import Refused
from reconciler.hypervisor import Hypervisor
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.lock import StateFolder
from reconciler.line.by_hand import Control
from reconciler.planning.ownership import Fact, Owned
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.api.live import LiveApi, live_api
from tests.cli.command import COMMAND, Onggi
from tests.lab.libvirtd import HostObjects
from tests.lab.other_user import public_folder
from tests.lab.repositories import Repository, git
from tests.lab.waiting import until
from tests.stories.hosts import SHARED, hand

__all__ = ["hand", "public_folder"]

WEB = Ref("VirtualMachine", "web")
DOMAIN = (
    "<domain type='test'><name>web</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
    "<serial type='pty'><log file='{log}'/></serial>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>"
    "</devices></domain>"
)
HALTED = (
    "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: web}\nspec: {memory: 64MiB, runStrategy: Halted}\n"
)
NETWORK = (
    "<network><name>default</name><bridge name='virbr0'/><ip address='192.168.122.1' netmask='255.255.255.0'>"
    "<dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>"
)


@pytest.fixture
def world(tmp_path: Path) -> str:
    """A host of the test driver, for each process anew: it has the running machine `web`."""
    (tmp_path / "web.xml").write_text(DOMAIN.format(log=tmp_path / "serial.log"))
    (tmp_path / "default.xml").write_text(NETWORK)
    (tmp_path / "host.xml").write_text("<node><domain file='web.xml'/><network file='default.xml'/></node>")
    return f"test://{tmp_path}/host.xml"


@pytest.fixture
def web(hand: libvirt.virConnect, tmp_path: Path) -> libvirt.virDomain:
    """The same machine, off, on the host that this process shares."""
    return hand.defineXML(DOMAIN.format(log=tmp_path / "serial.log"))


@pytest.fixture
def host() -> Iterator[Hypervisor]:
    opened = Hypervisor.open(SHARED)
    yield opened
    opened.close()


def settings(state: Path) -> Settings:
    return Settings(connect=SHARED, state=state)


def declare(state: Path, strategy: str) -> None:
    """As if it had been applied."""
    state.mkdir()
    with Ledger.open(state) as ledger:
        ledger.change(own=[Owned(WEB, "u", "vms/web.yaml", facts={Fact.RUN_STRATEGY: strategy})])


def test_what_no_document_declares_is_just_started_stopped_and_restarted(
    host: Hypervisor, hand: libvirt.virConnect, web: libvirt.virDomain, tmp_path: Path
) -> None:
    control = Control(settings(tmp_path / "state"), host, WEB)
    assert (control.start().sentence, web.isActive()) == ("VirtualMachine/web runs.", 1)
    assert control.start().sentence == "VirtualMachine/web runs already."
    before = hand.lookupByName("web").ID()
    assert control.restart(10, now=False).note == ""
    assert web.isActive()
    assert hand.lookupByName("web").ID() != before
    web.suspend()
    control.start()
    assert web.state()[0] == libvirt.VIR_DOMAIN_RUNNING
    assert (control.stop(10, now=True).note, web.isActive()) == ("", 0)
    with pytest.raises(Refused, match="onggi start web"):
        control.restart(10, now=False)


@pytest.mark.parametrize(("strategy", "verb"), [("Halted", "start"), ("Always", "stop")])
def test_without_an_agent_it_is_done_and_told_what_the_document_wants(
    host: Hypervisor, web: libvirt.virDomain, tmp_path: Path, strategy: str, verb: str
) -> None:
    declare(tmp_path / "state", strategy)
    control = Control(settings(tmp_path / "state"), host, WEB)
    if verb == "stop":
        web.create()
    done = control.start() if verb == "start" else control.stop(10, now=False)
    assert web.isActive() == (verb == "start")
    assert f"its document says `runStrategy: {strategy}`" in done.note
    assert "vms/web.yaml" in done.note


@pytest.mark.parametrize(("strategy", "verb"), [("Halted", "start"), ("Always", "stop")])
def test_what_a_running_agent_would_undo_and_cant_be_asked_for_is_refused(
    host: Hypervisor, web: libvirt.virDomain, tmp_path: Path, strategy: str, verb: str
) -> None:
    declare(tmp_path / "state", strategy)
    if verb == "stop":
        web.create()
    with StateFolder.open(tmp_path / "state", exclusive=True):
        control = Control(settings(tmp_path / "state"), host, WEB)
        with pytest.raises(Refused, match=f"runStrategy: {strategy}.*vms/web.yaml.*--socket"):
            control.start() if verb == "start" else control.stop(10, now=False)
    assert web.isActive() == (verb == "stop")


def test_an_agent_that_can_be_asked_commits_what_is_wanted(
    host: Hypervisor, hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"web.yaml": HALTED})
    with live_api(repository, tmp_path / "state") as api:
        assert isinstance(api, LiveApi)
        control = Control(settings(tmp_path / "state"), host, WEB)
        control.url = api.url
        assert (control.start().by, hand.lookupByName("web").isActive()) == ("agent", 1)
        assert "RerunOnFailure" in api.text("web.yaml")
        assert "runStrategy: Halted" in control.stop(10, now=True).sentence
        assert "Halted" in api.text("web.yaml")
        assert not hand.lookupByName("web").isActive()
        assert api.log() == ["Power off machine web", "Start machine web"]


def test_an_agent_is_asked_by_its_socket_and_commits_in_the_name_of_who_asks(
    host: Hypervisor, hand: libvirt.virConnect, repository: Repository, tmp_path: Path, public_folder: Path
) -> None:
    repository.commit({"web.yaml": HALTED})
    place = public_folder / "api.sock"
    with live_api(repository, tmp_path / "state", unix=UnixSocket(place), socket=place, listen="127.0.0.1:1") as api:
        assert Control(settings(tmp_path / "state"), host, WEB).start().by == "agent"
        assert hand.lookupByName("web").isActive()
        assert git(api.repository.path, "log", "-1", "--format=%an").strip() == "root"


def test_the_agents_address_is_known_by_its_state_alone(host: Hypervisor, tmp_path: Path) -> None:
    declare(tmp_path / "state", "Always")
    with Ledger.open(tmp_path / "state") as ledger:
        ledger.heartbeat.tell(listen="127.0.0.1:8010")
    assert Control(settings(tmp_path / "state"), host, WEB).url == ""
    with StateFolder.open(tmp_path / "state", exclusive=True):
        assert Control(settings(tmp_path / "state"), host, WEB).url == "http://127.0.0.1:8010"
        assert Control(settings(tmp_path / "state"), host, Ref("VirtualMachine", "other")).url == ""


def test_the_verbs_name_a_machine_and_tell_what_came_of_it(onggi: Onggi, world: str) -> None:
    assert onggi("start", "web", "--connect", world).out == "VirtualMachine/web runs already.\n"
    assert onggi("stop", "vm/web", "--connect", world).out == "VirtualMachine/web is off.\n"
    done = onggi("restart", "web", "--now", "--connect", world, "-o", "json")
    assert (done.code, done.json["message"], done.json["by"]) == (0, "VirtualMachine/web was restarted.", "host")
    done = onggi("stop", "nobody", "--connect", world)
    assert (done.code, "isn't on this host" in done.err) == (1, True)
    done = onggi("stop", "net/default", "--connect", world)
    assert (done.code, "isn't a virtual machine" in done.err) == (1, True)


def test_ip_tells_each_address_and_how_it_is_known(onggi: Onggi, world: str) -> None:
    done = onggi("ip", "web", "--connect", world, "-o", "json")
    (found,) = done.json
    assert found["address"].startswith("192.168.122.")
    assert (found["network"], found["mac"], found["source"]) == ("default", "52:54:00:00:00:01", "lease")
    assert found["address"] in onggi("ip", "web", "--connect", world).out


def test_logs_show_the_events_and_the_end_of_the_serial_log(onggi: Onggi, world: str, tmp_path: Path) -> None:
    (tmp_path / "serial.log").write_bytes(b"old\r\nboot\r\n\x1b[2Jlogin: ")
    state = onggi.home / ".local/state/onggi"
    state.mkdir(parents=True)
    with Ledger.open(state) as ledger:
        ledger.history.warn(WEB, "failed", "no room on the disk", "main@sha1:0")
    done = onggi("logs", "web", "--lines", "2", "--connect", world)
    assert done.code == 0, done.err
    assert "no room on the disk" in done.out
    assert done.out.endswith(f"{tmp_path}/serial.log:\nboot\n\\x1b[2Jlogin: \n")
    assert onggi("logs", "web", "--connect", world, "-o", "json").json["serial"][0] == "old"


@pytest.mark.qemu
def test_the_console_shows_the_serial_line_until_the_escape_key(
    onggi: Onggi, qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    name = host_objects.name("vm")
    domain = qemu_connection.createXML(
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type>"
        "<bios useserial='yes'/></os><devices><serial type='pty'/></devices></domain>",
        libvirt.VIR_DOMAIN_START_PAUSED,
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "console", name, "--connect", qemu_system], env=onggi.env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = bytearray()

    def shows(text: bytes) -> bool:
        os.set_blocking(ours, False)
        with suppress(BlockingIOError):
            shown.extend(os.read(ours, 4096))
        return text in shown

    try:
        until(lambda: shows(b"Connected to"), 60, "the console is connected")
        domain.resume()
        until(lambda: shows(b"SeaBIOS"), 60, "the firmware's words are shown")
        os.write(ours, b"\x1d")
        assert process.wait(60) == 0
        assert domain.isActive()
    finally:
        process.kill()
        domain.destroy()
        os.close(ours)


@pytest.mark.qemu
def test_a_console_of_a_machine_that_is_off_says_how_to_start_it(
    onggi: Onggi, qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    name = host_objects.name("vm")
    xml = f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"
    domain = qemu_connection.defineXML(xml)
    try:
        done = onggi("console", name, "--connect", qemu_system)
        assert (done.code, f"onggi start {name}" in done.err) == (1, True), done.err
    finally:
        domain.undefine()
