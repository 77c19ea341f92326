"""What of a fragment is live, and what is said to what runs."""

from __future__ import annotations

import pytest

from specs.effect import Change, Effect
from specs.network.identity import TABLE as NETWORKS
from specs.network.overlay_live import sections
from specs.overlay.comparing import config_changes, live_changes
from specs.overlay.writing import pointers
from specs.safe_xml import parse
from specs.virtualmachine.identity import TABLE as MACHINES
from specs.virtualmachine.overlay_live import edits

MACHINE = (
    "<domain><devices><disk device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='a'/><model type='virtio'/>"
    "</interface>"
    "</devices></domain>"
)


def domain(inside: str) -> str:
    return f"<domain><devices>{inside}</devices></domain>"


@pytest.mark.parametrize(
    ("inside", "effect"),
    [
        ("<disk><source file='/b'/><target dev='vdb'/></disk>", Effect.LIVE),
        ("<disk><source file='/b'/><target dev='hda' bus='ide'/></disk>", Effect.NEXT_BOOT),
        ("<disk device='cdrom'><target dev='sda' bus='scsi'/></disk>", Effect.NEXT_BOOT),
        ("<interface type='user'><mac address='52:54:00:00:00:02'/></interface>", Effect.LIVE),
        ("<interface type='user'><model type='e1000'/></interface>", Effect.NEXT_BOOT),
        ("<rng model='virtio'><backend model='random'/></rng>", Effect.NEXT_BOOT),
        ("<rng model='virtio'><backend model='random'/><alias name='ua-rng'/></rng>", Effect.LIVE),
        ("<sound model='ich9'><alias name='ua-sound'/></sound>", Effect.NEXT_BOOT),
        ("<interface><mac address='52:54:00:00:00:01'/><link state='down'/></interface>", Effect.LIVE),
        ("<interface><mac address='52:54:00:00:00:01'/><mtu size='9000'/></interface>", Effect.NEXT_BOOT),
        ("<disk><target dev='vda'/><driver cache='none'/></disk>", Effect.NEXT_BOOT),
    ],
)
def test_only_what_a_running_machine_can_be_told_is_live(inside: str, effect: Effect) -> None:
    [change] = config_changes("VirtualMachine", domain(inside), frozenset(), MACHINE)
    assert change.effect is effect


def said(text: str | None, live: str, earlier: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The edits that make what runs as the fragment says."""
    changes = live_changes("VirtualMachine", text, earlier, live, live)
    return [
        (verb, "".join(xml.split("\n")).replace("  ", ""))
        for change in changes
        if change.effect is Effect.LIVE
        for verb, xml in edits(MACHINES, text, parse(live), change, earlier)
    ]


def test_a_device_comes_without_the_order_of_booting_of_the_next_run() -> None:
    text = domain("<disk type='file'><source file='/b'/><target dev='vdb'/><boot order='2'/></disk>")
    assert said(text, MACHINE) == [("attach", '<disk type="file"><source file="/b"/><target dev="vdb"/></disk>')]


def test_a_device_goes_as_it_runs() -> None:
    text = domain("<interface type='network'><mac address='52:54:00:00:00:01'/></interface>")
    [(verb, xml)] = said("<domain/>", MACHINE, pointers(text))
    assert verb == "detach"
    assert '<model type="virtio"/>' in xml


def test_a_disk_isnt_pulled_out_of_what_runs() -> None:
    text = domain("<disk device='disk'><source file='/a'/><target dev='vda'/></disk>")
    [change] = live_changes("VirtualMachine", "<domain/>", pointers(text), MACHINE, MACHINE)
    assert (change.pointer, change.new, change.effect) == ("/xml/devices/disk[vda]", None, Effect.NEXT_BOOT)


def test_all_that_changes_of_a_card_is_said_at_once() -> None:
    before = domain(
        "<interface><mac address='52:54:00:00:00:01'/><link state='down'/><bandwidth><inbound average='1'/></bandwidth>"
        "<mtu size='9000'/></interface>"
    )
    live = MACHINE.replace("<model", "<link state='down'/><bandwidth><inbound average='1'/></bandwidth><model")
    after = domain("<interface><mac address='52:54:00:00:00:01'/><link state='up'/><mtu size='1400'/></interface>")
    found = said(after, live, pointers(before))
    assert len({xml for _, xml in found}) == 1
    assert found[0][0] == "update"
    assert "bandwidth" not in found[0][1]
    assert "mtu" not in found[0][1]  # which only the next run has
    assert '<link state="up"/>' in found[0][1]


def test_a_running_network_is_told_of_entries_and_groups() -> None:
    text = "<network><dns><txt name='a' value='b'/></dns><portgroup name='p'/></network>"
    live = "<network><dns><host ip='10.0.0.9'><hostname>web</hostname></host></dns></network>"
    earlier = pointers("<network><dns><host ip='10.0.0.9'><hostname>web</hostname></host></dns></network>")
    changes: tuple[Change, ...] = live_changes("Network", text, earlier, live, live)
    assert {change.effect for change in changes} == {Effect.LIVE}
    assert [each[:2] for each in sections(NETWORKS, text, parse(live), changes)] == [
        ("delete", "dns-host"),
        ("add", "dns-txt"),
        ("add", "portgroup"),
    ]


def test_what_libvirt_only_heeds_when_it_makes_something_is_refused_later_and_never_taken_back() -> None:
    def pool(mode: str) -> str:
        return f"<pool><target><permissions><mode>{mode}</mode></permissions></target></pool>"

    [change] = config_changes("StoragePool", pool("0755"), frozenset(), pool("0711"))
    assert change.effect is Effect.FORBIDDEN
    assert config_changes("StoragePool", "<pool/>", pointers(pool("0711")), pool("0711")) == ()


def test_what_a_run_has_of_its_own_is_no_difference() -> None:
    text = "<domain><cpu mode='host-model'/></domain>"
    assert live_changes("VirtualMachine", text, frozenset(), text, "<domain><cpu mode='custom'/></domain>") == ()
