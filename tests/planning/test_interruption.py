"""Who would be cut off when a network or pool is stopped, who keeps it from that, and who has lost it already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed
from reconciler.planning.interruption import held_back, names
from reconciler.planning.network.disconnected import disconnected
from specs.effect import Change, Effect
from specs.reference import NETWORK, STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.planning.machines import CARD, DATA, WITH_DATA, off, on
from tests.planning.worlds import WEB, World, found, wanted

NET, DISKS = (
    wanted("lan", NETWORK, mode="nat", subnet="10.1.2.0/24"),
    wanted("default", STORAGE_POOL, type="dir", path="/default"),
)
ACTIVE, DOMAIN_NAME = Change("/active", True, False, Effect.LIVE), Change("/domain", "a", "b", Effect.NEXT_BOOT)


def held(document: Resource, change: Change, *there: Observed, approved: str = "") -> Any:
    world = World((document,), (found(document), *there)).approved(approved)
    return held_back(document, found(document), [change], world.context)


def test_what_nobody_uses_is_stopped() -> None:
    assert held(NET, ACTIVE) is None
    assert held(NET, ACTIVE, off(CARD)) is None, "its machine is off"
    assert held(DISKS, ACTIVE, found(DATA), off(WITH_DATA)) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (ACTIVE, "stopping Network/lan cuts off VirtualMachine/web; it is done as soon as none of them runs"),
        (
            DOMAIN_NAME,
            "restarting Network/lan cuts off VirtualMachine/web until they are reconnected to it right after",
        ),
    ],
)
def test_a_networks_guests_are_cut_off_when_a_person_says_so(change: Change, says: str) -> None:
    blocked = held(NET, change, on(CARD))
    assert blocked.reason == "NeedsApproval"
    assert says in blocked.message
    assert held(NET, change, on(CARD), approved=blocked.digest) is None
    other = replace(on(CARD), ref=Ref(VIRTUAL_MACHINE, "db"), uid="another")
    assert held(NET, change, on(CARD), other, approved=blocked.digest), "another guest is another question"


def test_no_disk_is_pulled_out_from_below_a_guest_whatever_a_person_says() -> None:
    blocked = held(DISKS, ACTIVE, found(DATA), on(WITH_DATA))
    assert (blocked.reason, blocked.digest) == ("InUse", "")
    assert "VirtualMachine/web would lose it" in blocked.message


def test_many_guests_are_counted() -> None:
    guests = [Ref(VIRTUAL_MACHINE, f"m{number}") for number in range(7)]
    assert names(guests[:5]).endswith("VirtualMachine/m4")
    assert names(guests).endswith("VirtualMachine/m4 and 2 more")


PORT = {"vnet0": (CARD.uid, "52:54:00:fe:b9:77")}


def network(ports: Any, bridge: str = "virbr7") -> Observed:
    details = {BRIDGE: bridge, **({PORTS: ports} if ports is not None else {})}
    return found(NET, details=details)


BRIDGED = {'type="network"': 'type="bridge"', 'network="lan"': 'bridge="virbr7"'}


def moved(there: Observed) -> Observed:
    """Its run was moved to the bare bridge on its way back to the network."""
    assert there.live_xml is not None
    xml = there.live_xml
    for before, after in BRIDGED.items():
        assert before in xml
        xml = xml.replace(before, after)
    return replace(there, live_xml=xml)


@pytest.mark.parametrize(
    ("there", "lost"),
    [
        pytest.param([network(PORT), on(CARD)], False, id="it is plugged in"),
        pytest.param([network({}), on(CARD)], True, id="it isn't plugged in"),
        pytest.param([network({}), off(CARD)], False, id="it is off"),
        pytest.param([network(None), on(CARD)], False, id="nobody can tell who is plugged in"),
        pytest.param([replace(network({}), live_xml=None), on(CARD)], False, id="the network has no bridge of its own"),
        pytest.param([network({}), moved(on(CARD))], True, id="it is on the bare bridge"),
        pytest.param([network({}), replace(moved(on(CARD)), xml=off().xml)], False, id="that is where it belongs"),
        pytest.param([network({}, "virbr8"), moved(on(CARD))], False, id="it is on another bridge"),
        pytest.param([network({}), replace(on(CARD), live_xml="<domain")], False, id="its run can't be read"),
    ],
)
def test_a_machine_that_lost_its_network(there: list[Observed], lost: bool) -> None:
    assert dict(disconnected(World((), tuple(there)).snapshot)) == ({NET.ref: (WEB,)} if lost else {})
