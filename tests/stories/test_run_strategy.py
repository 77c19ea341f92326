"""What becomes of a machine that goes off, told by how it went off: on the test driver and with real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.line.line import Line
from reconciler.loop import crash_loops
from reconciler.settings.settings import Settings
from specs.reference import Ref
from tests.hostile.private_libvirtd import PrivateLibvirtd, private_libvirtd
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED

__all__ = ["private_libvirtd"]  # a fixture

WEB = Ref("VirtualMachine", "web")


@pytest.fixture
def line(shared_line: Line) -> Line:
    return shared_line


def vm(name: str = "web", **fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {"memory": 64, **fields}.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: {name}\nspec:\n{lines}"


def crash(domain: libvirt.virDomain) -> None:
    domain.coreDump(os.devnull, libvirt.VIR_DUMP_CRASH)


END: dict[str, Callable[[libvirt.virDomain], object]] = {
    "shut down": lambda domain: domain.shutdown(),
    "destroyed": lambda domain: domain.destroy(),
    "crashed": crash,
}


# dmacvicar/terraform-provider-libvirt#1339: a machine that should run was off, and apply reported success.
# saltstack/salt#47972: errors were swallowed, and it was reported as running.
@pytest.mark.parametrize(
    ("strategy", "ends", "runs_again", "why"),
    [
        ("Always", "shut down", True, "the guest shut itself down; runStrategy: Always starts it again"),
        ("Always", "destroyed", True, "it was destroyed by hand; runStrategy: Always starts it again"),
        ("Always", "crashed", True, "it crashed; runStrategy: Always starts it again"),
        ("RerunOnFailure", "shut down", False, ""),
        ("RerunOnFailure", "destroyed", False, ""),
        ("RerunOnFailure", "crashed", True, "it crashed; runStrategy: RerunOnFailure starts it again"),
        ("Manual", "crashed", False, ""),
    ],
)
def test_a_stopped_machine_runs_again_when_its_strategy_says_so(
    hand: libvirt.virConnect, repository: Repository, line: Line, strategy: str, ends: str, runs_again: bool, why: str
) -> None:
    repository.commit({"web.yaml": vm(runStrategy=strategy)})
    assert line.converge().succeeded
    domain = hand.lookupByName("web")
    if strategy == "Manual":
        assert not domain.isActive()
        domain.create()
        assert line.plan().empty, "nor is it stopped"
    END[ends](domain)
    assert [step.why for step in line.plan().steps] == ([why] if why else [])
    assert line.converge().succeeded
    assert bool(domain.isActive()) is runs_again
    assert line.plan().empty, "the ledger's knowledge of the last run changes nothing"


def test_halted_stops_what_somebody_starts(hand: libvirt.virConnect, repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Halted")})
    assert line.converge().succeeded
    hand.lookupByName("web").create()
    assert line.converge().succeeded
    assert not hand.lookupByName("web").isActive()


def test_a_suspended_machine_is_left_off(hand: libvirt.virConnect, repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    assert line.converge().succeeded
    line.ledger.decisions.suspend(WEB)
    hand.lookupByName("web").destroy()
    assert line.converge().planned.empty
    assert not hand.lookupByName("web").isActive()
    line.ledger.decisions.resume(WEB)
    assert line.converge().succeeded
    assert hand.lookupByName("web").isActive()


def test_a_machine_under_warn_is_told_to_be_off_and_not_started(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Always", driftPolicy="warn")})
    assert line.converge().succeeded
    hand.lookupByName("web").destroy()
    plan = line.plan()
    assert plan.empty
    assert [(ref, [change.pointer for change in changes]) for ref, changes in plan.drifted] == [(WEB, ["/runStrategy"])]


def test_a_machine_that_was_migrated_away_is_not_started_beside_itself(repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    assert line.converge().succeeded
    snapshot = line.observe()
    gone = replace(snapshot.objects[WEB], state="shutoff", reason="migrated", live_xml=None)
    plan = line.compare(line.desired(), replace(snapshot, objects={**snapshot.objects, WEB: gone})).plan
    assert plan.empty
    assert [(blocked.ref, blocked.reason) for blocked in plan.blocked] == [(WEB, "Migrated")]


# AshleyYakeley/NixVirt#5: a transient machine crashed the tool, and with it the care for all others.
def test_a_transient_machine_disturbs_nobody(hand: libvirt.virConnect, repository: Repository, line: Line) -> None:
    transient = "<domain type='test'><name>guest</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    hand.createXML(transient).setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "x", None, None, 0)
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    assert line.converge().succeeded
    guest = hand.lookupByName("guest")
    assert guest.isActive()
    guest.destroy()
    assert line.plan().empty


def stalled(state: Path) -> str:
    """The message of the web machine's Stalled condition while its starts back off; empty otherwise."""
    with Ledger.open(state, readonly=True) as ledger:
        status = ledger.status.of(WEB)
    found = {item.type: item for item in status.conditions} if status is not None else {}
    if "Stalled" not in found or found["Stalled"].reason != "CrashLoopBackOff":
        return ""
    assert not found["Ready"].status
    return found["Ready"].message


def test_a_crash_loop_backs_off_says_so_outlives_the_agent_and_ends_with_a_commit(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The third rest is longer than anything here waits, so that only the commit can have ended it.
    monkeypatch.setattr(crash_loops, "_wait_s", lambda short: crash_loops.LONGEST_S if short > 2 else 0.0)
    state = tmp_path / "state"
    repository.commit({"web.yaml": vm(runStrategy="RerunOnFailure")})

    def crash_until_it_is_told(text: str) -> bool:
        domain = hand.lookupByName("web")
        if domain.isActive():
            crash(domain)
        return text in stalled(state)

    with running_agent(repository.path, SHARED, state):
        until(lambda: crash_until_it_is_told("3 runs in a row"), 60, "the machine's crashes are counted")
        assert "the last one so: it crashed" in stalled(state)
        assert not hand.lookupByName("web").isActive(), "it rests"
    with running_agent(repository.path, SHARED, state):
        assert "3 runs in a row" in stalled(state), "a new agent goes on with the rest"
        assert not hand.lookupByName("web").isActive()
        repository.commit({"web.yaml": vm(runStrategy="RerunOnFailure", title="mended")})
        until(lambda: hand.lookupByName("web").isActive(), 60, "a new document is tried at once")
        until(lambda: not stalled(state), 60, "and the condition is gone")


def test_a_machine_that_others_stop_by_hand_is_no_crash_loop(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash_loops, "FIRST_S", crash_loops.LONGEST_S)  # whoever rests is noticed
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    with running_agent(repository.path, SHARED, tmp_path / "state"):
        for _ in range(3):
            until(lambda: hand.lookupByName("web").isActive(), 60, "it was started again, without a rest")
            hand.lookupByName("web").destroy()
        until(lambda: hand.lookupByName("web").isActive(), 60, "it was started again, without a rest")
        assert not stalled(tmp_path / "state")


@pytest.fixture
def qemu_line(qemu_system: str, repository: Repository, tmp_path: Path) -> Iterator[Line]:
    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as opened:
        yield opened


def qemu_process(name: str) -> int:
    return int(Path(f"/run/libvirt/qemu/{name}.pid").read_text())


@pytest.mark.parametrize(
    ("number", "why"),
    [
        pytest.param(signal.SIGKILL, "it crashed", id="killed"),
        pytest.param(signal.SIGTERM, "a signal of the host ended it", id="terminated"),
    ],
)
def test_a_qemu_process_that_the_host_ends_is_a_failure_and_no_shutdown_of_the_guest(
    qemu_line: Line,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    number: signal.Signals,
    why: str,
) -> None:
    name = host_objects.name("vm")
    repository.commit({"vm.yaml": vm(name, runStrategy="RerunOnFailure", paused="true", domainType="emulated")})
    assert qemu_line.converge().succeeded
    domain = qemu_connection.lookupByName(name)
    os.kill(qemu_process(name), number)
    until(lambda: not domain.isActive(), 60, "QEMU has ended")
    found = until(lambda: qemu_line.plan().steps, 60, "its end is known")
    assert [step.why for step in found] == [f"{why}; runStrategy: RerunOnFailure starts it again"]
    assert qemu_line.converge().succeeded
    assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED, "it is started with stopped CPUs, as declared"


def by_hand(connection: libvirt.virConnect, name: str) -> None:
    """A machine without the guest agent's socket, whose path would be too long in a private daemon's folder."""
    connection.defineXML(
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
    )


@pytest.fixture
def daemon(private_libvirtd: PrivateLibvirtd) -> Iterator[PrivateLibvirtd]:
    """A libvirtd that may be restarted; what runs under it ends with the test."""
    yield private_libvirtd
    connection = libvirt.open(private_libvirtd.uri)
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        with suppress(libvirt.libvirtError):  # libvirtd was still taking it up again: then it ends with that
            domain.destroy()
    connection.close()


# NixOS/nixpkgs#485136: a restart of libvirtd stopped guests. It also makes libvirtd forget why those that are off are.
def test_a_restarted_libvirtd_starts_nothing_that_was_off_and_stops_nothing_that_runs(
    daemon: PrivateLibvirtd, repository: Repository, tmp_path: Path
) -> None:
    connection = libvirt.open(daemon.uri)
    for name in ("up", "down"):
        by_hand(connection, name)
        adopted = vm(name, runStrategy="RerunOnFailure", paused="true")
        document = adopted.replace("spec:", '  annotations: {onggi/adopt: "true"}\nspec:')
        repository.commit({f"{name}.yaml": document})
    settings = Settings(repository=str(repository.path), connect=daemon.uri, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        done = line.converge()
        assert done.succeeded, [outcome.message for outcome in done.outcomes]
        connection.lookupByName("down").destroy()
        running = connection.lookupByName("up").ID()
        assert line.converge().planned.empty
    connection.close()
    daemon.stop()
    daemon.start()
    connection = libvirt.open(daemon.uri)
    with Line.open(settings, exclusive=True) as line:
        seen = line.observe().objects
        assert seen[Ref("VirtualMachine", "down")].reason == "unknown", "libvirtd has forgotten"
        assert line.plan().empty
        up = connection.lookupByName("up")
        # libvirtd takes running machines up again in the background, and may have answered before that.
        until(lambda: up.state()[0] == libvirt.VIR_DOMAIN_PAUSED, 60, "libvirtd knows it again")
        assert up.ID() == running, "it never stopped"
    connection.close()
