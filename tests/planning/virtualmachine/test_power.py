"""The run strategy, told by how the last run ended; and what a restart is done for, and what never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Policy, Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Pause, Resume, Start, Stop
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.virtualmachine.power import last_run, power_changes, why_started
from reconciler.planning.virtualmachine.restart import Restart, restart, restart_facts
from specs.effect import Change, Effect
from tests.planning.values import resource, vm

WEB = vm("web")
ENDS = ("", "unknown", "shutdown", "host-signal", "destroyed", "crashed", "failed", "daemon", "saved", "from-snapshot")
CPU = Change("/cpuMode", "default", "maximum", Effect.NEXT_BOOT)
MACHINE = Change("/machine", "pc", "q35", Effect.NEXT_BOOT)


def declared(**spec: object) -> Resource:
    return replace(resource(WEB), spec=spec)


def found(state: str, reason: str = "", **more: Any) -> Observed:
    return Observed(WEB, "uid", "", state=state, reason=reason, **more)


def entry(**facts: str) -> Owned:
    return Owned(WEB, "uid", facts=facts)


def operations(wanted: Resource, seen: Observed, known: Owned | None = None) -> list[object]:
    return [operation for _, operation in power_changes(wanted, seen, known)]


def starts(wanted: Resource, seen: Observed, known: Owned | None = None) -> bool:
    return any(isinstance(operation, Start) for operation in operations(wanted, seen, known))


# dmacvicar/terraform-provider-libvirt#1339: `running = true` didn't start a stopped machine, and apply said success
@pytest.mark.parametrize("reason", ENDS)
def test_always_starts_a_machine_however_it_ended(reason: str) -> None:
    assert starts(declared(runStrategy="Always"), found("shutoff", reason))


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("unknown", True),  # never started, or it ran when the host went down
        ("crashed", True),
        ("failed", True),
        ("daemon", True),
        ("host-signal", True),
        ("shutdown", False),
        ("destroyed", False),
        ("saved", False),
        ("from-snapshot", False),
        ("migrated", False),
    ],
)
def test_rerun_on_failure_respects_ends_that_somebody_asked_for(reason: str, again: bool) -> None:
    assert starts(declared(runStrategy="RerunOnFailure"), found("shutoff", reason)) is again


@pytest.mark.parametrize("reason", ENDS)
def test_manual_never_starts_nor_stops(reason: str) -> None:
    assert operations(declared(runStrategy="Manual"), found("shutoff", reason)) == []
    assert operations(declared(runStrategy="Manual"), found("running", "booted")) == []


# dmacvicar/terraform-provider-libvirt#1339: `running = false` did nothing
def test_halted_stops_by_acpi_and_by_force_only_where_declared() -> None:
    running = found("running", "booted")
    assert operations(declared(runStrategy="Halted"), running) == [Stop(WEB, 60.0, force=False)]
    hard = declared(runStrategy="Halted", shutdownTimeout=5, forceStop=True)
    assert operations(hard, running) == [Stop(WEB, 5.0, force=True)]
    assert operations(declared(runStrategy="Halted"), found("shutoff", "crashed")) == []


def test_a_machine_that_is_to_be_paused_is_started_with_its_cpus_stopped() -> None:
    wanted = declared(runStrategy="Always", paused=True)
    assert operations(wanted, found("shutoff", "crashed")) == [Start(WEB, paused=True, again="crashed")]
    assert operations(wanted, found("running")) == [Pause(WEB)]
    assert operations(declared(runStrategy="Always", paused=False), found("paused")) == [Resume(WEB)]
    assert operations(declared(runStrategy="Always"), found("paused")) == [], "nobody said anything about pausing"


def test_a_start_that_was_ordered_is_no_repeated_one() -> None:
    """Else a machine that is switched off and on by its documents would rest as if it crashed again and again."""
    ended = found("shutoff", "shutdown")
    for wanted in ("Always", "RerunOnFailure"):
        assert operations(declared(runStrategy=wanted), ended, entry(runStrategy="Halted")) == [Start(WEB)]
    assert operations(declared(runStrategy="Always"), ended, entry(runStrategy="Always")) == [
        Start(WEB, again="shutdown")
    ]


# NixOS/nixpkgs#485136: a restart of libvirtd must not change what runs. libvirtd forgets every reason with it.
@pytest.mark.parametrize(
    ("remembered", "again"),
    [("running", True), ("crashed", True), ("shutdown", False), ("destroyed", False), ("saved", False)],
)
def test_a_libvirtd_that_forgot_the_reason_starts_only_what_ran_or_had_failed(remembered: str, again: bool) -> None:
    wanted = declared(runStrategy="RerunOnFailure")
    assert starts(wanted, found("shutoff", "unknown"), entry(lastRun=remembered)) is again


def test_the_ledger_remembers_the_last_known_end_and_not_that_libvirtd_forgot_it() -> None:
    assert last_run(found("running", "booted"), None) == "running"
    assert last_run(found("shutoff", "shutdown"), entry(lastRun="running")) == "shutdown"
    assert last_run(found("shutoff", "unknown"), entry(lastRun="shutdown")) == "shutdown"
    assert last_run(found("shutoff", "unknown"), entry()) == "", "nobody has seen it run"


@pytest.mark.parametrize(
    ("reason", "remembered", "sentence"),
    [
        ("shutdown", "", "the guest shut itself down; runStrategy: Always starts it again"),
        ("destroyed", "", "it was destroyed by hand; runStrategy: Always starts it again"),
        ("crashed", "", "it crashed; runStrategy: Always starts it again"),
        ("host-signal", "", "a signal of the host ended it; runStrategy: Always starts it again"),
        ("unknown", "running", "the host restarted; runStrategy: Always starts it again"),
        ("unknown", "", "it was never started; runStrategy: Always starts it"),
        ("postponed", "", "it went off (postponed); runStrategy: Always starts it again"),
    ],
)
def test_the_why_of_a_start_tells_how_the_last_run_ended(reason: str, remembered: str, sentence: str) -> None:
    known = entry(lastRun=remembered) if remembered else entry()
    assert why_started(declared(runStrategy="Always"), found("shutoff", reason), known) == sentence


def test_a_new_strategy_is_an_order_to_start_whatever_the_end_was() -> None:
    halted = entry(runStrategy="Halted")
    assert starts(declared(runStrategy="RerunOnFailure"), found("shutoff", "shutdown"), halted)


def restarted(wanted: Resource, *waiting: Change, state: str = "running", **more: Any) -> Restart:
    known = more.pop("entry", None)
    rebooted = more.pop("rebooted", False)
    return restart(wanted, found(state, **more), known, waiting, rebooted=rebooted)


# dmacvicar/terraform-provider-libvirt#1060: a change was a hard power-off; wanted: graceful, with a limit of time
def test_graceful_asks_the_guest_within_its_limit_and_names_the_fields() -> None:
    wanted = declared(restartPolicy="Graceful", shutdownTimeout=90)
    done = restarted(wanted, CPU, MACHINE)
    assert done.operations == (Stop(WEB, 90.0, force=False), Start(WEB))
    assert done.why == "restartPolicy: Graceful restarts it for /cpuMode, /machine"


def test_force_is_for_who_declared_it() -> None:
    done = restarted(declared(restartPolicy="Graceful", forceStop=True), CPU)
    assert done.operations[0] == Stop(WEB, 60.0, force=True)


def test_a_live_change_restarts_nothing() -> None:
    assert restarted(declared(restartPolicy="Graceful"), Change("/memory", 1, 2, Effect.LIVE)) == Restart()
    assert restarted(declared(restartPolicy="Graceful")) == Restart()


# cockpit-project/cockpit-machines#1004: a reboot inside the guest doesn't apply what waits, a stop and start does
@pytest.mark.parametrize(
    ("spec", "state", "says"),
    [
        ({}, "running", "a reboot inside the guest isn't enough"),
        ({"restartPolicy": "Never"}, "running", "a reboot inside the guest isn't enough"),
        ({"restartPolicy": "WhenStopped"}, "running", "when it is off, or when its guest reboots"),
        ({"restartPolicy": "Graceful", "runStrategy": "Manual"}, "running", "Manual leaves that to people"),
        ({"restartPolicy": "Graceful"}, "paused", "it is paused and can't shut itself down"),
    ],
)
def test_what_is_not_restarted_says_what_its_changes_wait_for(
    spec: Mapping[str, object], state: str, says: str
) -> None:
    left = restarted(declared(**spec), CPU, state=state)
    assert left.operations == ()
    assert says in left.waits_for


@pytest.mark.parametrize("policy", ["warn", "ignore"])
def test_a_machine_that_onggi_only_watches_is_never_restarted(policy: str) -> None:
    watched = replace(declared(restartPolicy="Graceful"), policy=Policy(drift=policy))
    assert restarted(watched, CPU).operations == ()


# AshleyYakeley/NixVirt#5: transient domains crashed the tool
def test_a_transient_machine_is_not_restarted_for_it_would_be_gone() -> None:
    assert restarted(declared(restartPolicy="Graceful"), CPU, persistent=False).operations == ()


def test_a_reboot_of_the_guest_is_leave_to_restart_it_when_stopped() -> None:
    wanted = declared(restartPolicy="WhenStopped")
    done = restarted(wanted, CPU, rebooted=True)
    assert done.operations == (Stop(WEB, 60.0, force=False), Start(WEB))
    assert done.why.startswith("its guest rebooted, and restartPolicy: WhenStopped restarts it")
    assert restarted(declared(restartPolicy="Never"), CPU, rebooted=True).operations == ()


# kubevirt/kubevirt#17610: a flag raised by what the controller itself filled in was never cleared. Even if a field
# never came true, there must not be a restart for it again and again.
def test_the_same_changes_are_the_cause_of_one_restart() -> None:
    wanted = declared(restartPolicy="Graceful")
    first = restarted(wanted, CPU)
    after = entry(restarted=first.fingerprint)
    second = restarted(wanted, CPU, entry=after)
    assert second.operations == ()
    assert "came back as before" in second.waits_for
    assert restarted(wanted, CPU, MACHINE, entry=after).operations, "something else is waiting now"


def test_a_restart_that_was_cut_off_after_the_shutdown_is_finished() -> None:
    wanted = declared(runStrategy="RerunOnFailure", restartPolicy="Graceful")
    running, off = found("running"), found("shutoff", "shutdown")
    before = restart_facts(restarted(wanted, CPU), wanted, running, entry(), 1000.0)
    assert before == {Fact.RESTARTING: "1000"}
    disconnected = entry(**before)
    assert starts(wanted, off, disconnected)
    assert why_started(wanted, off, disconnected) == "onggi shut it down to restart it, and starts it again"
    assert not starts(declared(runStrategy="Manual"), off, disconnected)


def test_a_guest_that_follows_late_comes_back_but_not_one_that_is_shut_down_days_later() -> None:
    wanted = declared(restartPolicy="WhenStopped", shutdownTimeout=60)
    waits = restarted(wanted, CPU)  # the request of its reboot ran out of time; it still runs
    asked = entry(restarting="1000")
    assert restart_facts(waits, wanted, found("running"), asked, 1500.0) == {Fact.RESTARTING: "1000"}
    assert restart_facts(waits, wanted, found("running"), asked, 90000.0) == {}
    assert restart_facts(Restart(), wanted, found("running"), asked, 1001.0) == {}, "nothing waits any more"
