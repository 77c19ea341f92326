"""What becomes of a change that somebody makes on the host: found, recorded, healed or told, and never fought over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

from reconciler.ledger.drift_history import DriftRecord
from reconciler.ledger.ledger import Ledger
from reconciler.line.line import Line
from reconciler.loop import backoff
from reconciler.settings.settings import Settings
from reconciler.status.condition import Condition
from reconciler.status.drift import Drift, DriftKind, drift
from specs.reference import Ref
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.lab.waiting import until
from tests.stories.agents import running_agent

SHARED = "test:///default"  # one world for all connections of this process, so that the test can play the hand
WEB, DB = Ref("VirtualMachine", "hc-web"), Ref("VirtualMachine", "hc-db")


@pytest.fixture
def hand() -> Iterator[libvirt.virConnect]:
    """Somebody at virsh."""
    connection = libvirt.open(SHARED)
    yield connection
    for domain in connection.listAllDomains():
        if domain.name().startswith("hc-"):
            if domain.isActive():
                domain.destroy()
            domain.undefine()
    for network in connection.listAllNetworks():
        if network.name().startswith("hc-"):
            if network.isActive():
                network.destroy()
            network.undefine()
    connection.close()


def vm(name: str = "hc-web", annotations: str = "", **fields: object) -> str:
    spec = {"memory": 64, "title": "ours", "runStrategy": "Manual", **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in spec.items())
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\n"
        f"spec:\n{lines}"
    )


def set_title(hand: libvirt.virConnect, title: str, ref: Ref = WEB) -> None:
    hand.lookupByName(ref.name).setMetadata(
        libvirt.VIR_DOMAIN_METADATA_TITLE, title, None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG
    )


def title(hand: libvirt.virConnect, ref: Ref = WEB) -> str:
    definition = hand.lookupByName(ref.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    return ElementTree.fromstring(definition).findtext("title") or ""


def redefine(hand: libvirt.virConnect, old: str, new: str, ref: Ref = WEB) -> None:
    xml = hand.lookupByName(ref.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    assert old in xml
    hand.defineXML(xml.replace(old, new))


def records(state: Path) -> list[DriftRecord]:
    return Ledger.open(state, readonly=True).drift.records(healed=True)


def conditions(state: Path, ref: Ref = WEB) -> dict[str, Condition]:
    status = Ledger.open(state, readonly=True).status.of(ref)
    return {item.type: item for item in status.conditions} if status is not None else {}


def found(line: Line) -> tuple[Drift, ...]:
    """What `onggi drift` would compare now."""
    return drift(line.look())


@pytest.fixture
def line(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> Iterator[Line]:
    settings = Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as opened:
        yield opened


def test_what_a_step_is_working_on_is_not_judged_by_a_snapshot_from_before(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm()})
    desired, before = line.desired(), line.observe()
    assert line.converge().succeeded  # beside a pass that has looked before: the ledger knows, the snapshot doesn't
    now = line.compare(desired, before, moving=frozenset({WEB}))
    assert line.note_drift(now) == ()
    assert line.ledger.drift.records(healed=True) == []
    hand.lookupByName(WEB.name).undefine()
    assert [item.ref for item in line.note_drift(line.compare(desired, line.observe()))] == [WEB]


# The agent


def test_an_event_becomes_a_record_and_healing_is_told(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"web.yaml": vm()})
    state = tmp_path / "state"
    with running_agent(repository.path, SHARED, state, resync_s=3600.0):
        until(lambda: title(hand) == "ours", 60, "web is there")
        redefine(hand, ">65536<", ">98304<")  # a definition has an event; a changed title has one of its own
        until(lambda: any(item.healed_by for item in records(state)), 60, "the event was turned into a healed record")
        record, *others = records(state)
        assert others == []
        assert (record.ref, record.field, record.declared, record.found) == (WEB, "/memory", 64, 96)
        assert (record.kind, record.policy, record.healed_by) == ("changed", "enforce", "onggi")
        assert record.first_seen <= record.last_seen <= record.healed_at
        assert "Drifted" not in conditions(state)


def test_a_resync_finds_what_no_event_told(hand: libvirt.virConnect, repository: Repository, tmp_path: Path) -> None:
    repository.commit({"web.yaml": vm()})
    state = tmp_path / "state"
    with running_agent(repository.path, SHARED, state, resync_s=1.0):
        until(lambda: title(hand) == "ours", 60, "web is there")
        hand.lookupByName(WEB.name).setAutostart(1)  # nothing is declared about it: no drift
        set_title(hand, "theirs")
        until(lambda: title(hand) == "ours", 60, "the resync found it and it was healed")
        assert [record.field for record in records(state)] == ["/title"]


# fluxcd/helm-controller#645 (drift that is only reported), fluxcd/kustomize-controller#1498 (a warn-only mode),
# fluxcd/helm-controller#1241 (drift belongs into the status, not only into a debug log)
def test_drift_under_warn_is_in_the_status_and_in_the_records_and_is_left_alone(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"web.yaml": vm(driftPolicy="warn")})
    state = tmp_path / "state"
    with running_agent(repository.path, SHARED, state):
        until(lambda: title(hand) == "ours", 60, "web is there")
        redefine(hand, "ours", "theirs")
        until(lambda: "Drifted" in conditions(state), 60, "the status tells")
        assert "/title theirs → ours" in conditions(state)["Drifted"].message
        [record] = records(state)
        assert (record.field, record.found, record.policy, record.open) == ("/title", "theirs", "warn", True)
        assert title(hand) == "theirs"
        redefine(hand, "theirs", "ours")
        until(lambda: not records(state)[0].open, 60, "the record is closed")
        assert records(state)[0].healed_by == "itself"
        until(lambda: "Drifted" not in conditions(state), 60, "the status tells it no more")


def test_a_document_that_was_changed_to_match_heals_the_drift(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(driftPolicy="warn")})
    assert line.converge().succeeded
    set_title(hand, "theirs")
    line.converge()
    repository.commit({"web.yaml": vm(driftPolicy="warn", title="theirs")})
    assert line.converge().succeeded
    [record] = line.ledger.drift.records(healed=True)
    assert record.healed_by == "document"


def test_an_unrelated_edit_of_the_document_leaves_the_record_to_the_step_that_heals_it(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(driftPolicy="warn")})
    assert line.converge().succeeded
    set_title(hand, "theirs")
    line.converge()
    repository.commit({"web.yaml": vm(memory=80, driftPolicy="enforce")})
    assert line.converge().succeeded
    assert title(hand) == "ours"
    [record] = line.ledger.drift.records(healed=True)
    assert not record.open
    # The step that came with the edit put it back, and the document asks for the same title as before.
    assert record.healed_by == "onggi"


def test_a_machine_that_vanished_is_drift_and_is_made_again(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm()})
    assert line.converge().succeeded
    hand.lookupByName(WEB.name).undefine()
    [missing] = found(line)
    assert (missing.ref, missing.kind, missing.policy) == (WEB, DriftKind.MISSING, "enforce")
    assert line.converge().succeeded
    [record] = line.ledger.drift.records(healed=True)
    assert (record.field, record.kind, record.healed_by) == ("/", "missing", "onggi")


@pytest.mark.parametrize(("policy", "told"), [("warn", [DriftKind.MISSING]), ("ignore", [])])
def test_a_machine_that_vanished_stays_away_unless_drift_is_enforced(
    policy: str, told: list[DriftKind], hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(driftPolicy=policy)})
    assert line.converge().succeeded
    hand.lookupByName(WEB.name).undefine()
    assert [item.kind for item in found(line)] == told
    assert line.converge().outcomes == ()
    assert WEB not in line.observe().objects
    repository.commit({"web.yaml": vm(driftPolicy=policy, memory=80)})
    assert line.converge().succeeded
    assert WEB in line.observe().objects, "a new revision is applied under every policy"


def test_a_pool_that_vanished_is_made_again_for_a_disk_that_somebody_wants_of_it(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    pool = "apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {name: hc-pool}\n"
    repository.commit({"pool.yaml": f"{pool}spec: {{type: dir, path: /hc, driftPolicy: warn}}\n", "web.yaml": vm()})
    assert line.converge().succeeded
    gone = hand.storagePoolLookupByName("hc-pool")
    gone.destroy()
    gone.undefine()
    assert line.converge().outcomes == ()
    repository.commit({"web.yaml": vm(disks="[{name: root, size: 16MiB, pool: hc-pool}]")})
    assert line.converge().succeeded
    again = hand.storagePoolLookupByName("hc-pool")
    assert again.listVolumes() == ["hc-web-root.qcow2"]
    again.destroy()
    again.undefine()


def test_what_ignore_and_ignored_fields_leave_to_others_is_no_drift(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit(
        {
            "web.yaml": vm(autostart="true", ignoreFields='["/title", "/autostart", "/runStrategy"]'),
            "db.yaml": vm("hc-db", driftPolicy="ignore"),
        }
    )
    assert line.converge().succeeded
    hand.lookupByName(WEB.name).setAutostart(0)
    set_title(hand, "theirs")
    set_title(hand, "theirs", DB)
    assert found(line) == ()
    assert line.converge().planned.empty
    hand.lookupByName(WEB.name).create()
    assert found(line) == ()


def test_a_new_revision_is_no_drift(hand: libvirt.virConnect, repository: Repository, line: Line) -> None:
    repository.commit({"web.yaml": vm()})
    assert line.converge().succeeded
    repository.commit({"web.yaml": vm(title="new"), "db.yaml": vm("hc-db")})
    assert found(line) == ()
    assert line.converge().succeeded
    assert line.ledger.drift.records(healed=True) == []


def test_a_refused_edit_is_no_drift_and_a_refused_change_by_hand_is(
    qemu_system: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects, dir_pool_folder: Path,
    repository: Repository, tmp_path: Path,
) -> None:  # fmt: skip
    pool, volume = host_objects.name("pool"), "data.raw"

    def documents(capacity: str) -> dict[str, str]:
        head = "apiVersion: onggi/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n"
        return {
            "pool.yaml": head.format("StoragePool", pool, f"{{type: dir, path: {dir_pool_folder}}}"),
            "data.yaml": head.format("StorageVolume", volume, f"{{pool: {pool}, capacity: {capacity}, format: raw}}"),
        }

    settings = Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as line:
        repository.commit(documents("16MiB"))
        assert line.converge().succeeded
        repository.commit(documents("8MiB"))
        for _ in range(2):
            assert [blocked.reason for blocked in line.converge().remaining.blocked] == ["ShrinkRefused"]
            assert found(line) == ()
        repository.commit(documents("16MiB"))
        assert line.converge().succeeded
    qemu_connection.storagePoolLookupByName(pool).storageVolLookupByName(volume).resize(32 << 20)
    with Line.open(settings, exclusive=True) as line:  # volumes have no events, so that an open line rarely reads them
        [grown] = found(line)
        field = grown.fields[0]
        assert (field.field, field.declared, field.found) == ("/capacity", 16 << 20, 32 << 20)
        line.converge()
        assert [record.field for record in line.ledger.drift.records()] == ["/capacity"]


# argoproj/argo-cd#4414: while a new commit waits, what was applied before is still watched, and neighbours are healed
def test_a_document_that_is_broken_now_leaves_its_records_open_and_its_neighbours_healed(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(driftPolicy="warn"), "db.yaml": vm("hc-db")})
    assert line.converge().succeeded
    set_title(hand, "theirs")
    line.converge()
    repository.commit({"web.yaml": vm(memory="lots")})
    set_title(hand, "theirs", DB)
    line.converge()
    assert title(hand, DB) == "ours"
    healed = {(record.ref, record.healed_by) for record in line.ledger.drift.records(healed=True)}
    assert healed == {(WEB, ""), (DB, "onggi")}


# dmacvicar/terraform-provider-libvirt#1339 (also #622, #119, #1010): a machine that was stopped by hand isn't noticed
def test_a_machine_that_was_stopped_by_hand_is_drift_of_its_power(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    assert line.converge().succeeded
    hand.lookupByName(WEB.name).destroy()
    [stopped] = found(line)
    assert (stopped.kind, [each.field for each in stopped.fields]) == (DriftKind.POWER, ["/runStrategy"])
    assert line.converge().succeeded
    assert hand.lookupByName(WEB.name).isActive()
    assert [record.healed_by for record in line.ledger.drift.records(healed=True)] == ["onggi"]


# dmacvicar/terraform-provider-libvirt#947: a network that isn't active goes unnoticed until a machine's start fails
def test_a_network_that_was_stopped_by_hand_is_drift(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    lan = (
        "apiVersion: onggi/v1\nkind: Network\nmetadata: {name: hc-lan}\nspec: {mode: isolated, subnet: 10.91.7.0/24}\n"
    )
    repository.commit({"lan.yaml": lan})
    assert line.converge().succeeded
    hand.networkLookupByName("hc-lan").destroy()
    [stopped] = found(line)
    assert (stopped.kind, stopped.fields[0].field, stopped.fields[0].declared) == (DriftKind.POWER, "/active", True)
    assert line.converge().succeeded
    assert hand.networkLookupByName("hc-lan").isActive()


# ansible-collections/community.libvirt#53 and #47, ansible/ansible#37660: defining what exists was silently ignored
def test_an_edit_of_something_that_exists_is_never_silently_ignored(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(memory=64)})
    assert line.converge().succeeded
    repository.commit({"web.yaml": vm(memory=96)})
    result = line.converge()
    assert [change.pointer for step in result.planned.steps for change in step.changes] == ["/memory"]
    assert line.observe().objects[WEB].config["memory"] == 96


# saltstack/salt#59739 and #59188 ("always changed"), ansible-collections/community.libvirt#205 (a dry run that
# reports what the real run doesn't do)
def test_a_second_run_changes_nothing_and_the_plan_said_so(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(memory="64MiB", cpus=2, description="two lines", autostart="true")})
    assert line.converge().succeeded
    assert line.plan().empty
    again = line.converge()
    assert again.outcomes == ()
    assert line.ledger.drift.records(healed=True) == []


# projectbluefin/lab#97, kubevirt/community#317: observed values were written into the spec and differed for ever
def test_what_is_observed_never_becomes_part_of_what_is_declared(
    hand: libvirt.virConnect, repository: Repository, line: Line
) -> None:
    repository.commit({"web.yaml": vm(runStrategy="Always")})
    assert line.converge().succeeded
    before = (repository.path / "web.yaml").read_bytes()
    resource = line.desired().resources[WEB]
    assert set(resource.spec) == {"memory", "title", "runStrategy"}
    assert (repository.path / "web.yaml").read_bytes() == before
    assert line.plan().empty


# Another tool


class Opponent:
    """Another tool: as often as the title isn't its own, it puts its own there. Counts how often it had to."""

    def __init__(self, hand: libvirt.virConnect) -> None:
        self.times = 0
        self.stop = threading.Event()
        self._hand = hand
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Opponent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.stop.wait(0.02):
            if title(self._hand) == "ours":
                self.times += 1
                redefine(self._hand, "ours", "theirs")


def test_a_fight_with_another_tool_is_given_up_by_and_by_and_said_so_while_neighbours_are_served(
    hand: libvirt.virConnect,
    repository: Repository,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backoff, "_SPREAD", 0.0)  # by chance a longer wait could seem as short as the one before
    repository.commit({"web.yaml": vm(), "db.yaml": vm("hc-db")})
    state = tmp_path / "state"

    def stalled() -> Condition | None:
        found = conditions(state).get("Stalled")
        return found if found is not None and found.reason == "Flapping" else None

    def told_at() -> list[datetime]:
        events = Ledger.open(state, readonly=True).history.events(ref=WEB)
        return [datetime.fromisoformat(event.time) for event in events if event.result == "flapping"]

    with running_agent(repository.path, SHARED, state):
        until(lambda: title(hand) == "ours" and title(hand, DB) == "ours", 60, "both are there")
        with Opponent(hand) as opponent:
            told = until(stalled, 60, "the status says that it is fought over")
            assert "/title" in told.message
            assert "is another tool changing it?" in told.message
            first, second, third, fourth = until(
                lambda: told_at()[:4] if len(told_at()) >= 4 else None, 120, "4 repairs"
            )
            assert second - first < third - second < fourth - third, "each repair waits longer than the one before"
            until(lambda: title(hand) == "theirs", 60, "the other tool has the last word for now")
            until(lambda: not conditions(state)["Ready"].status, 60, "and the status says so")
            assert conditions(state)["Ready"].reason == "Flapping"
            until(lambda: "Drifted" in conditions(state), 60, "with the drift that is left, once it has come to rest")
            repairs = opponent.times
            redefine(hand, "ours", "theirs", DB)
            until(lambda: title(hand, DB) == "ours", 60, "a neighbour is healed as ever")
            assert opponent.times <= repairs + 1, "meanwhile the fight has all but stopped"
            assert conditions(state, DB)["Ready"].status
            assert "/title was put right" in caplog.text
        repository.commit({"web.yaml": vm(description="anew")})
        # Less than the wait for the next repair, which would end it too.
        until(
            lambda: title(hand) == "ours", 10, "the other tool is gone; a new revision is applied at once", strict=True
        )
        until(lambda: stalled() is None and conditions(state)["Ready"].status, 60, "calm again")
    assert opponent.times < 15
