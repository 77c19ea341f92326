"""What a running machine refuses, although it is live as a rule, waits for its boot and holds nothing up."""

from __future__ import annotations

import ipaddress

import pytest

from reconciler.reporting.plan_text import plan_text
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository
from tests.stories.live_guest import LiveGuest, networks

CARDS = 14  # more than a machine of onggi's has free slots


@pytest.fixture
def guest(imageless_guest: LiveGuest) -> LiveGuest:
    del imageless_guest.spec["disks"]
    imageless_guest.spec |= {"memory": 64, "paused": True}
    return imageless_guest


def test_devices_without_a_free_slot_wait_and_everything_else_comes_true(
    guest: LiveGuest, repository: Repository, host_objects: HostObjects, free_subnet: ipaddress.IPv4Network
) -> None:
    repository.commit(networks(host_objects, free_subnet))
    guest.begin()
    cards = [{"name": f"card{number}", "network": host_objects.name("one")} for number in range(CARDS)]
    done = guest.apply(interfaces=cards, title="at once")
    plugged = len(guest.live().findall("devices/interface"))
    assert 0 < plugged < CARDS
    assert len(guest.config().findall("devices/interface")) == CARDS
    assert guest.live().findtext("title") == "at once"
    (waiting,) = done.remaining.waiting
    assert len(waiting.changes) == CARDS - plugged
    assert all("slot" in change.note for change in waiting.changes), waiting.changes

    later = guest.apply(title="and later changes too")
    assert guest.live().findtext("title") == "and later changes too"
    assert len(later.remaining.waiting[0].changes) == CARDS - plugged

    guest.domain.destroy()
    done = guest.line.converge()
    assert done.succeeded and done.remaining.waiting == ()
    assert len(guest.live().findall("devices/interface")) == CARDS


def test_memory_of_a_guest_that_stands_still_is_told_when_it_goes_on(guest: LiveGuest) -> None:
    guest.begin(maximumMemory=64)
    done = guest.apply(memory=48, description="at once")
    (waiting,) = done.remaining.waiting
    assert [change.pointer for change in waiting.changes] == ["/memory"]
    assert "waits for its guest" in plan_text(done.remaining, colour=False, width=100)
    assert guest.live().findtext("description") == "at once"
    assert guest.config().findtext("currentMemory") == str(48 * 1024)
    assert guest.line.plan().empty, "it isn't told again and again"


def test_a_reverted_edit_of_what_waits_waits_no_more(guest: LiveGuest) -> None:
    # kubevirt/kubevirt#16329, #13222, harvester/harvester#9309: a restart that is required stays required for ever.
    guest.begin(cpus=2, maximumCpus=2)
    (waiting,) = guest.apply(cpus=1).remaining.waiting
    assert [(change.pointer, change.old, change.new) for change in waiting.changes] == [("/cpus", 2, 1)]
    assert guest.apply(cpus=2).remaining.waiting == ()
