"""Only what needs the missing thing waits: a machine is defined, changed and stopped without it, and not started."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.operations import Define, EditLive, Start, Stop
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Plan, Step
from reconciler.planning.planner import Planner
from specs.binding import parse
from specs.host import Feature, Host
from specs.mark import Mark, read_mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, network, vm

WEB = vm("web")
UID = "5a9d0a3b-6f8b-4d2b-8c7e-1f2a3b4c5d6e"
STICK = "usb_1_2"
LAN, DISK, IMAGE = network("lan"), Ref.volume("nowhere", "web-data"), Ref.volume("nowhere", "debian.iso")

DOMAIN = (
    f"<domain type='test'><name>web</name><uuid>{UID}</uuid><memory>65536</memory><os><type>hvm</type></os><devices>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan'/><model type='virtio'/>"
    "</interface><hostdev mode='subsystem' type='usb' managed='yes'><source><address bus='1' device='2'/></source>"
    "</hostdev></devices></domain>"
)
# What of it an earlier revision declared, and this one declares again.
PLUGGED = {
    "a USB device that is unplugged": frozenset({"/hostDevices/usb:1.2"}),
    "a network that was removed": frozenset({"/interfaces/lan"}),
}

# What is declared, and what of it is missing on every host below.
MISSING = {
    "a USB device that is unplugged": ({"hostDevices": [{"device": STICK}]}, (), STICK),
    "a network that was removed": ({"interfaces": [{"network": "lan"}]}, (LAN,), "Network/lan"),
    "a disk in an unknown pool": ({"disks": [{"name": "data", "volume": DISK.name}]}, (DISK,), str(DISK)),
    "an image in an unknown pool": ({"cdroms": [{"name": "cd", "volume": IMAGE.name}]}, (IMAGE,), str(IMAGE)),
}
EVERY = pytest.mark.parametrize("what", MISSING)


def plan(what: str, seen: Observed | None, **spec: Any) -> Plan:
    declared, needs, _ = MISSING[what]
    web = Resource(WEB, UID, {**declared, **spec}, "web.yaml", 1, depends_on=needs, digest="m")
    desired = DesiredState(REVISION, REPOSITORY, {WEB: web})
    objects = {WEB: seen} if seen is not None else {}
    return Planner().plan(desired, Snapshot(1, Host(features=frozenset(Feature)), objects), {})


def there(what: str, *, running: bool) -> Observed:
    state, reason = ("running", "booted") if running else ("shutoff", "destroyed")
    return Observed(
        WEB,
        UID,
        DOMAIN,
        DOMAIN if running else None,
        state,
        reason,
        mark=Mark(REPOSITORY, "web", PLUGGED.get(what, frozenset())),
    )


def step(found: Plan) -> Step:
    assert [each.ref for each in found.steps] == [WEB]
    return found.steps[0]


def is_told(found: Plan, what: str) -> bool:
    return any(item.ref == WEB and MISSING[what][2] in item.message for item in found.blocked)


@EVERY
def test_a_machine_that_is_to_be_off_is_stopped_and_changed_in_all_else(what: str) -> None:
    found = plan(what, there(what, running=True), runStrategy="Halted", memory=128)
    made = step(found)
    assert [type(each) for each in made.operations if isinstance(each, Stop)] == [Stop]
    assert '<memory unit="MiB">128</memory>' in next(each.xml for each in made.operations if isinstance(each, Define))
    assert is_told(found, what)


@EVERY
def test_what_the_definition_has_stays_in_it(what: str) -> None:
    made = step(plan(what, there(what, running=False), runStrategy="Halted", memory=128))
    xml = next(each.xml for each in made.operations if isinstance(each, Define))
    if "USB" in what:
        assert "/hostDevices/usb:1.2" in xml, "or nobody would know later that it was ours"
    assert 'network="lan"' in xml
    assert '<address bus="1" device="2"/>' in xml
    assert "nowhere" not in xml


@EVERY
def test_a_machine_that_is_to_run_is_not_started_without_it(what: str) -> None:
    found = plan(what, there(what, running=False), runStrategy="Always", memory=128)
    assert not any(isinstance(each, Start) for each in step(found).operations)
    assert is_told(found, what)
    entry = step(found).owned
    assert entry is not None
    assert Fact.RUN_STRATEGY not in entry.facts, "the order to start isn't carried out yet"


@EVERY
def test_a_running_machine_is_changed_live_in_all_else(what: str) -> None:
    found = plan(what, there(what, running=True), runStrategy="Always", memory=32, title="shop")
    assert {each.verb for each in step(found).operations if isinstance(each, EditLive)} == {"memory", "title"}
    assert is_told(found, what)


@pytest.mark.parametrize("strategy", ["Always", "Halted"])
@pytest.mark.parametrize("what", [what for what in MISSING if "disk" not in what])
def test_a_new_machine_is_defined_and_waits_with_its_start(what: str, strategy: str) -> None:
    found = plan(what, None, runStrategy=strategy)
    assert [type(each) for each in step(found).operations] == [Define]
    assert is_told(found, what)
    assert "nowhere" not in str(step(found).operations), "a definition that names a volume says that it was there"


@pytest.mark.parametrize("strategy", ["Always", "Halted"])
def test_a_new_machine_waits_for_its_disks(strategy: str) -> None:
    # Plugged in later, they would be in other places than they are declared in.
    found = plan("a disk in an unknown pool", None, runStrategy=strategy)
    assert found.steps == ()
    assert is_told(found, "a disk in an unknown pool")


@EVERY
def test_it_is_told_for_as_long_as_it_is_missing(what: str) -> None:
    seen = there(what, running=False)
    made = step(plan(what, seen, runStrategy="Halted", memory=128))
    xml = next(each.xml for each in made.operations if isinstance(each, Define))
    found = plan(what, replace(seen, xml=xml, mark=read_mark(parse(xml))), runStrategy="Halted", memory=128)
    assert found.steps == ()
    assert is_told(found, what)


def test_nothing_waits_where_starting_is_nobodys_business() -> None:
    what = "a network that was removed"
    seen = there(what, running=False)
    made = step(plan(what, seen, runStrategy="Manual", memory=128))
    xml = next(each.xml for each in made.operations if isinstance(each, Define))
    found = plan(what, replace(seen, xml=xml, mark=read_mark(parse(xml))), runStrategy="Manual", memory=128)
    assert (found.steps, found.blocked) == ((), ())
