"""A guest that never looked at its cloud-init data is told of, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.loop.unread_seeds import PATIENCE_S, UnreadSeeds
from reconciler.observed.counters import Counters
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.plan import Plan
from reconciler.reporting.matters import matters
from reconciler.status.one_pass import Pass
from reconciler.status.status import SEED_UNREAD, conditions
from specs.host import Host
from specs.reference import Ref
from tests.planning.values import context, resource, vm

WEB = vm("web")
DESIRED = context([replace(resource(WEB), spec={"cloudInit": {}})]).desired
MIB = 1 << 20
STARTED = {"vda": 40 * MIB, "sda": 2048}  # a BIOS looks whether it can boot from it


def domain(bus: str = "sata", seed: bool = True) -> str:
    alias = "<alias name='ua-onggi-cdrom-seed'/>" if seed else ""
    return f"""<domain type='kvm' id='3'><devices>
      <disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>
      <disk type='file' device='cdrom'><source file='/x.iso'/><target dev='sda' bus='{bus}'/>{alias}</disk>
    </devices></domain>"""


class OneMachine:
    """One machine as libvirt counts it. `asked` is how often it was."""

    def __init__(self) -> None:
        self.asked = 0
        self.read: Mapping[str, int] = STARTED
        self.run = "uuid/3"
        self.xml = domain()
        self.state = ("running", "booted")
        self.seeds = UnreadSeeds(self.count)

    def count(self) -> Mapping[Ref, Counters]:
        self.asked += 1
        return {WEB: Counters(self.run, read=self.read)}

    def told(self, now: float) -> str:
        state, reason = self.state
        observed = Observed(WEB, "uuid", self.xml, self.xml, state, reason)
        return self.seeds.look(DESIRED, Snapshot(1, Host(), {WEB: observed}), now).get(WEB, "")


@pytest.fixture
def host() -> OneMachine:
    return OneMachine()


def test_it_is_told_after_some_minutes_with_the_remedy_and_no_longer_once_it_was_read(host: OneMachine) -> None:
    assert (host.told(0), host.told(PATIENCE_S - 1), host.asked) == ("", "", 0), "nobody is asked before"
    assert "cloudInit.bus: scsi" in host.told(PATIENCE_S)
    assert host.told(PATIENCE_S + 60)
    host.read = STARTED | {"sda": 64 << 10}
    assert host.told(PATIENCE_S + 120) == ""
    asked = host.asked
    assert (host.told(2 * PATIENCE_S), host.asked) == ("", asked), "nor once it is known"


def test_a_guest_on_the_right_bus_is_told_of_its_image(host: OneMachine) -> None:
    host.xml = domain("scsi")
    host.told(0)
    assert "virtio-scsi" in host.told(PATIENCE_S)


@pytest.mark.parametrize(
    ("state", "xml", "read"),
    [
        (("running", "restored"), domain(), STARTED),  # it may have been read before it was saved
        (("running", "migrated"), domain(), STARTED),
        (("running", "unpaused"), domain(), STARTED),  # may hide either
        (("paused", "user"), domain(), STARTED),
        (("running", "booted"), domain(), {"vda": 3 * MIB, "sda": 0}),  # no system was loaded from its disk
        (("running", "booted"), domain(), {"vda": 40 * MIB}),  # this libvirt doesn't count the drive
        (("running", "booted"), domain(seed=False), STARTED),  # its drive waits for the next boot
    ],
)
def test_nothing_is_told_of_what_can_not_be_known(
    host: OneMachine, state: tuple[str, str], xml: str, read: Mapping[str, int]
) -> None:
    host.state, host.xml, host.read = state, xml, read
    host.told(0)
    assert host.told(PATIENCE_S) == host.told(10 * PATIENCE_S) == ""


def test_another_run_is_waited_for_anew(host: OneMachine) -> None:
    host.told(0)
    assert host.told(PATIENCE_S)
    host.run = "uuid/4"
    assert host.told(PATIENCE_S + 1) == host.told(2 * PATIENCE_S) == ""
    assert host.told(2 * PATIENCE_S + 1)


def test_the_next_look_is_when_there_is_something_to_ask(host: OneMachine) -> None:
    assert host.seeds.due_s(0) is None
    host.told(0)
    assert host.seeds.due_s(100) == PATIENCE_S - 100
    host.told(PATIENCE_S)
    assert host.seeds.due_s(PATIENCE_S + 1) is None


def test_it_is_a_condition_and_a_matter_to_be_told_once() -> None:
    snapshot = Snapshot(1, Host(), {WEB: Observed(WEB, "uuid", domain(), domain(), "running", "booted")})
    found = conditions(Pass(DESIRED, snapshot, Plan(str(DESIRED.revision)), unread_seeds={WEB: "never read"}))
    assert [(item.type, item.status) for item in found[WEB]] == [("Ready", True), (SEED_UNREAD, True)]
    assert matters(found) == {(WEB, SEED_UNREAD): "never read"}
