"""What waits for a boot: told field by field as long as it is true, and brought by a restart where that is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import libvirt
import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.line.convergence import Convergence
from reconciler.line.line import Line
from reconciler.planning.operations import Start, Stop
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Plan
from reconciler.status.condition import Condition
from reconciler.status.one_pass import Pass
from reconciler.status.outcome import last_of_each
from reconciler.status.status import conditions
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.agents import running_agent
from tests.stories.hosts import SHARED
from tests.stories.live_guest import LiveGuest, live_guest

WEB = Ref(VIRTUAL_MACHINE, "web")


@pytest.fixture
def line(shared_line: Line) -> Line:
    return shared_line


@pytest.fixture
def guest(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    guest_base: Path,
    tmp_path: Path,
) -> Iterator[LiveGuest]:
    with live_guest(qemu_system, qemu_connection, host_objects, repository, guest_base, tmp_path / "state") as made:
        yield made


def vm(**fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in {"memory": 64, "runStrategy": "Always", **fields}.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: web\nspec:\n{lines}"


def waiting(line: Line) -> dict[str, tuple[object, object]]:
    """Each field that waits: old and new."""
    return {change.pointer: (change.old, change.new) for item in line.plan().waiting for change in item.changes}


def restarts(plan: Plan) -> list[str]:
    """The why of every step that stops and starts something."""
    return [step.why for step in plan.steps if {Stop, Start} <= {type(operation) for operation in step.operations}]


def plan_that_restarts(line: Line) -> Plan | None:
    plan = line.plan()
    return plan if restarts(plan) else None


def condition(state: Path, type_: str) -> Condition | None:
    with Ledger.open(state, readonly=True) as ledger:
        status = ledger.status.of(WEB)
    return next((item for item in status.conditions if item.type == type_), None) if status is not None else None


# kubevirt/kubevirt#17610, #16719, #16329, #13222; harvester/harvester#9309: RestartRequired named one field at most,
# was raised by what the controller filled in itself, and was never cleared while the machine ran.
def test_every_waiting_field_is_told_old_and_new_and_cleared_by_a_revert_or_a_power_cycle(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    repository.commit({"web.yaml": vm(cpuMode="default", serialConsole="false")})
    with running_agent(repository.path, SHARED, state):
        until(lambda: hand.lookupByName("web").isActive(), 60, "web runs")
        until(lambda: condition(state, "Ready"), 60, "web has conditions")
        assert condition(state, "RestartRequired") is None, "nothing that onggi or libvirt fill in waits"

        repository.commit({"web.yaml": vm(cpuMode="maximum", serialConsole="true")})
        restart = until(lambda: condition(state, "RestartRequired"), 60, "it is told what waits")
        assert restart is not None
        told = restart.message
        assert "/cpuMode default → maximum" in told
        assert "/serialConsole false → true" in told
        assert "a reboot inside the guest isn't enough" in told

        repository.commit({"web.yaml": vm(cpuMode="default", serialConsole="false")})
        until(lambda: condition(state, "RestartRequired") is None, 60, "the edit was reverted")

        repository.commit({"web.yaml": vm(cpuMode="maximum")})
        until(lambda: condition(state, "RestartRequired"), 60, "it is told again")
        hand.lookupByName("web").destroy()
        until(lambda: hand.lookupByName("web").isActive(), 60, "its strategy starts it again")
        until(lambda: condition(state, "RestartRequired") is None, 60, "it was power-cycled")
        until(lambda: (ready := condition(state, "Ready")) is not None and ready.status, 60, "it is ready")


# kubevirt/kubevirt#16606: a stale flag blocked hot-plugging.
def test_what_waits_never_blocks_a_live_change(hand: libvirt.virConnect, repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm(cpuMode="default")})
    assert line.converge().succeeded
    run = hand.lookupByName("web").ID()
    repository.commit({"web.yaml": vm(cpuMode="maximum")})
    assert line.converge().succeeded
    repository.commit({"web.yaml": vm(cpuMode="maximum", memory=32, title="live")})
    assert line.converge().succeeded
    domain = hand.lookupByName("web")
    assert domain.info()[2] == 32 * 1024
    assert domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "live"
    assert domain.ID() == run
    assert waiting(line) == {"/cpuMode": ("default", "maximum")}


# cockpit-project/cockpit#12201: an edit made from the running definition lost the edits that were waiting already.
# cockpit-project/cockpit-machines#1098: "changes pending" for ever although nothing was changed.
def test_a_second_edit_keeps_the_first_one_waiting_and_nothing_waits_for_ever(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(cpuMode="default", serialConsole="false")})
    assert line.converge().succeeded
    assert waiting(line) == {}
    for edit in ({"cpuMode": "maximum", "serialConsole": "false"}, {"cpuMode": "maximum", "serialConsole": "true"}):
        repository.commit({"web.yaml": vm(**edit)})
        assert line.converge().succeeded
    assert waiting(line) == {"/cpuMode": ("default", "maximum"), "/serialConsole": (False, True)}
    hand.lookupByName("web").destroy()
    assert line.converge().succeeded
    assert waiting(line) == {}


def test_graceful_restarts_once_and_the_plan_says_so_beforehand(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(restartPolicy="Graceful", cpuMode="default")})
    assert line.converge().succeeded
    run = hand.lookupByName("web").ID()
    repository.commit({"web.yaml": vm(restartPolicy="Graceful", cpuMode="maximum")})
    assert line.converge().succeeded
    # The definition came first, so that what waits is known to libvirt; then the machine went through one restart.
    assert hand.lookupByName("web").ID() > run
    assert waiting(line) == {}
    last = line.ledger.history.events(ref=WEB)[-1].message
    assert "restartPolicy: Graceful restarts it for /cpuMode" in last
    run = hand.lookupByName("web").ID()
    repository.commit({"web.yaml": vm(restartPolicy="Graceful", cpuMode="maximum", memory=32)})
    assert line.converge().succeeded
    assert hand.lookupByName("web").ID() == run, "a live change restarts nothing"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"driftPolicy": "warn"}, id="warn"),
        pytest.param({"driftPolicy": "ignore"}, id="ignore"),
        pytest.param({"runStrategy": "Manual"}, id="manual"),
        pytest.param({"restartPolicy": "Never"}, id="never"),
        pytest.param({"restartPolicy": "WhenStopped"}, id="when stopped"),
    ],
)
def test_who_did_not_ask_for_it_is_not_restarted(
    hand: libvirt.virConnect, repository: Repository, line: Line, fields: dict[str, object]
) -> None:
    wanted = {"restartPolicy": "Graceful", **fields}
    repository.commit({"web.yaml": vm(cpuMode="default", **wanted)})
    assert line.converge().succeeded
    domain = hand.lookupByName("web")
    if not domain.isActive():
        domain.create()
    run = domain.ID()
    repository.commit({"web.yaml": vm(cpuMode="maximum", **wanted)})
    assert line.converge().succeeded
    assert domain.ID() == run
    assert waiting(line) == {"/cpuMode": ("default", "maximum")}


def test_an_agent_that_ends_in_the_middle_of_a_restart_finishes_it_at_its_next_start(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    wanted = {"runStrategy": "RerunOnFailure", "restartPolicy": "Graceful"}
    repository.commit({"web.yaml": vm(cpuMode="default", **wanted)})
    assert line.converge().succeeded
    repository.commit({"web.yaml": vm(cpuMode="maximum", **wanted)})
    plan = line.plan()
    assert "restarts it" in plan.steps[0].why
    line.ledger.change(own=plan.records)  # what is written down before a step begins
    for operation in plan.steps[0].operations:
        line.hypervisor.perform(operation)
        if isinstance(operation, Stop):
            break
    assert not hand.lookupByName("web").isActive(), "here the agent was killed"
    assert line.converge().succeeded
    assert hand.lookupByName("web").isActive(), "RerunOnFailure alone would respect a shutdown"
    assert waiting(line) == {}
    assert Fact.RESTARTING not in line.ledger.ownership.all()[WEB].facts


def conditions_after(line: Line, done: Convergence) -> Mapping[Ref, tuple[Condition, ...]]:
    now = Pass(line.desired(), line.observe(), done.remaining, outcomes=last_of_each(done.outcomes))
    return conditions(now)


def cpu_model(console: SerialConsole) -> str:
    return console.command("grep -m 1 '^model name' /proc/cpuinfo").partition(":")[2].strip()


# dmacvicar/terraform-provider-libvirt#1060, #356: a change was a hard power-off while the disks were written to; #1280:
# `graceful` was a signal to QEMU and no request to the guest.
# cockpit-project/cockpit-machines#1004: a reboot inside the guest doesn't bring what waits.
def test_a_guest_is_restarted_by_acpi_and_shows_what_waited(guest: LiveGuest) -> None:
    guest.commit(cpuMode="default", restartPolicy="Never", runStrategy="RerunOnFailure")
    assert guest.line.converge().succeeded
    uid = guest.domain.UUIDString()
    with guest.console() as console:
        before = cpu_model(console)
        guest.commit(cpuMode="maximum")
        assert guest.line.converge().succeeded
        assert list(waiting(guest.line)) == ["/cpuMode"]

        console.command("echo kept > /run/kept; sync; (sleep 0.2; reboot -f) > /dev/null 2>&1 &")
        until(lambda: "onggi-guest ready" in console.text, 300, "the guest has rebooted")
        console.wait_until_ready()
        assert cpu_model(console) == before, "a reboot keeps the old definition"
        assert list(waiting(guest.line)) == ["/cpuMode"]

        run = guest.domain.ID()
        guest.commit(restartPolicy="Graceful", shutdownTimeout=120)
        assert guest.line.converge().succeeded
    assert guest.domain.ID() != run
    assert guest.domain.UUIDString() == uid
    assert waiting(guest.line) == {}
    with guest.console() as console:
        assert cpu_model(console) != before


def test_a_guest_that_does_not_listen_is_left_running_and_one_that_reboots_itself_is_restarted(
    guest: LiveGuest,
) -> None:
    guest.commit(cpuMode="default", runStrategy="RerunOnFailure", restartPolicy="Graceful", shutdownTimeout=2)
    assert guest.line.converge().succeeded
    with guest.console() as console:
        console.command("killall acpid")
        run = guest.domain.ID()
        guest.commit(cpuMode="maximum")
        done = guest.line.converge()
        failed = [outcome.message for outcome in done.outcomes if outcome.message]
        assert failed
        assert "did not shut down within 2 s; set forceStop: true or shut it down by hand" in failed[0]
        assert guest.domain.ID() == run, "no force without forceStop"
        assert list(waiting(guest.line)) == ["/cpuMode"]

        told = {item.type: item for item in conditions_after(guest.line, done)[guest.ref]}
        assert "did not shut down within 2 s" in told["Ready"].message
        assert "→ maximum" in told["RestartRequired"].message
        assert "the restart that restartPolicy: Graceful asks its guest for" in told["RestartRequired"].message

        guest.commit(title="still reachable")
        guest.line.converge()
        assert guest.domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None) == "still reachable"

        guest.commit(restartPolicy="WhenStopped", shutdownTimeout=120)
        assert guest.line.converge().succeeded
        assert guest.domain.ID() == run
        assert not restarts(guest.line.plan())
        console.command("(sleep 0.2; reboot -f) > /dev/null 2>&1 &")
        plan = until(lambda: plan_that_restarts(guest.line), 60, "the guest's reboot is heard of")
        assert plan is not None
        assert restarts(plan) == ["its guest rebooted, and restartPolicy: WhenStopped restarts it for /cpuMode"]
        guest.line.apply(plan)
    assert guest.domain.isActive()
    assert guest.domain.ID() != run
    assert waiting(guest.line) == {}
