"""What vanished is made again as it was last seen, with its document on top; and a stored definition opens no door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.identity import object_uid
from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import BRIDGE, Observed, Snapshot
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import Define, SetAutostart, Start, Stop, Undefine
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Plan, Step
from reconciler.planning.planner import Planner
from specs.binding import parse
from specs.host import Feature, Host, VolumeSource
from specs.mark import Mark
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, network, vm

WEB, LAN, POOL = vm("web"), network("lan"), Ref("StoragePool", "disks")
UID = "5a9d0a3b-6f8b-4d2b-8c7e-1f2a3b4c5d6e"
OTHERS = "11111111-1111-1111-1111-111111111111"
MINE = object_uid(REPOSITORY, WEB, "")

MARK = (
    f"<metadata><onggi:origin xmlns:onggi='https://onggi.dev/xmlns/origin/1' repository='{REPOSITORY}' name='web'/>"
    "</metadata>"
)
DOMAIN = (
    f"<domain type='test'><name>web</name><uuid>{UID}</uuid>{MARK}<memory unit='MiB'>64</memory><vcpu>3</vcpu>"
    "<os><type>hvm</type><nvram>/var/nvram/web.fd</nvram></os><devices>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br7'/>"
    "<address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/></interface>"
    "<watchdog model='i6300esb' action='reset'/></devices></domain>"
)


def machine(**spec: Any) -> Resource:
    return Resource(WEB, MINE, {"memory": 128, **spec}, "web.yaml", 1, digest="d")


def entry(uid: str = UID, ref: Ref = WEB, **facts: str) -> Owned:
    return Owned(
        ref, uid, "web.yaml", created=False, facts={Fact.DIGEST: "d", Fact.RUN_STRATEGY: "RerunOnFailure", **facts}
    )


def plan(
    resource: Resource,
    last: LastSeen | None,
    known: Owned | None = None,
    seen: Iterable[Observed] = (),
    volumes: Mapping[Ref, VolumeSource] | None = None,
) -> Plan:
    desired = DesiredState(REVISION, REPOSITORY, {resource.ref: resource})
    objects = {one.ref: one for one in seen}
    host = Host(features=frozenset(Feature), volumes=volumes or {})
    owned = {known.ref: known} if known is not None else {}
    stored = {resource.ref: last} if last is not None else {}
    return Planner().plan(desired, Snapshot(1, host, objects), owned, last_seen=stored.get)


def step(found: Plan) -> Step:
    assert len(found.steps) == 1
    return found.steps[0]


def defined(found: Plan) -> Define:
    return next(each for each in step(found).operations if isinstance(each, Define))


def test_a_machine_comes_back_with_all_that_its_document_does_not_say() -> None:
    found = plan(machine(), LastSeen(UID, DOMAIN), entry())
    made = defined(found)
    root = parse(made.xml)
    assert (step(found).action, made.uid) == (Action.CREATE, UID)
    assert root.findtext("os/nvram") == "/var/nvram/web.fd"
    assert root.find("devices/watchdog") is not None
    assert root.find("devices/interface/mac").attrib == {"address": "52:54:00:00:00:01"}  # type: ignore[union-attr]
    assert root.find("devices/interface/address").get("bus") == "0x07"  # type: ignore[union-attr]
    assert root.findtext("vcpu") == "3"
    assert "as it was last seen" in step(found).why


def test_what_its_document_says_wins() -> None:
    root = parse(defined(plan(machine(), LastSeen(UID, DOMAIN), entry())).xml)
    assert root.findtext("memory") == "128"


def test_what_was_taken_over_is_still_not_ours_to_delete() -> None:
    owned = step(plan(machine(), LastSeen(UID, DOMAIN), entry())).owned
    assert owned is not None
    assert (owned.uid, owned.created) == (UID, False)


@pytest.mark.parametrize(("ended", "starts"), [("running", True), ("shutdown", False), ("crashed", True)])
def test_it_is_started_by_how_its_last_run_ended(ended: str, starts: bool) -> None:
    found = plan(machine(runStrategy="RerunOnFailure"), LastSeen(UID, DOMAIN), entry(**{Fact.LAST_RUN: ended}))
    assert any(isinstance(each, Start) for each in step(found).operations) is starts


def test_it_starts_with_the_host_as_it_did() -> None:
    found = plan(machine(), LastSeen(UID, DOMAIN, autostart=True), entry())
    assert SetAutostart(WEB, True) in step(found).operations


# Each of these is no longer the thing that was there: the document alone counts then.
@pytest.mark.parametrize(
    ("last", "known"),
    [
        pytest.param(LastSeen(OTHERS, DOMAIN), entry(), id="another object's"),
        pytest.param(LastSeen(UID, DOMAIN), None, id="of nothing that the ledger knows to be ours"),
        pytest.param(LastSeen(UID, DOMAIN.replace(REPOSITORY, OTHERS)), entry(), id="another repository's"),
        pytest.param(LastSeen(UID, "<domain"), entry(), id="not XML"),
        pytest.param(LastSeen(UID, "<network><name>web</name></network>"), entry(), id="of another kind"),
    ],
)
def test_a_definition_that_does_not_fit_is_not_used(last: LastSeen, known: Owned | None) -> None:
    made = defined(plan(machine(), last, known))
    assert made.uid == MINE
    assert "watchdog" not in made.xml


def test_a_document_that_names_another_uid_means_another_machine() -> None:
    made = defined(plan(replace(machine(), uid=OTHERS), LastSeen(UID, DOMAIN), entry()))
    assert made.uid == OTHERS
    assert "watchdog" not in made.xml


def test_another_name_inside_it_does_not_count() -> None:
    stored = DOMAIN.replace("<name>web</name>", "<name>victim</name>").replace(f"<uuid>{UID}", f"<uuid>{OTHERS}")
    root = parse(defined(plan(machine(), LastSeen(UID, stored), entry())).xml)
    assert (root.findtext("name"), root.findtext("uuid")) == ("web", UID)


def test_a_console_that_had_a_password_comes_back_for_this_host_only() -> None:
    console = (
        "<graphics type='vnc' listen='0.0.0.0' passwd='*****'><listen type='address' address='0.0.0.0'/></graphics>"
    )
    found = defined(plan(machine(), LastSeen(UID, DOMAIN.replace("<watchdog", f"{console}<watchdog")), entry()))
    assert "passwd" not in found.xml
    assert "0.0.0.0" not in found.xml
    assert "127.0.0.1" in found.xml


def drive(path: str, image_format: str = "raw") -> str:
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='{image_format}'/><source file='{path}'/>"
        "<target dev='vdb' bus='virtio'/></disk>"
    )


def test_a_drive_that_another_machine_has_by_now_is_left_out_and_others_are_looked_into() -> None:
    taken, kept = Ref.volume("disks", "taken"), Ref.volume("disks", "kept")
    stored = DOMAIN.replace(
        "<watchdog", drive("/d/taken") + drive("/d/kept", "qcow2").replace("vdb", "vdc") + "<watchdog"
    )
    volumes = {taken: VolumeSource("/d/taken", "file", "raw"), kept: VolumeSource("/d/kept", "file", "qcow2")}
    seen = [
        Observed(
            vm("db"), OTHERS, f"<domain><name>db</name><devices>{drive('/d/taken')}</devices></domain>", state="shutoff"
        ),
        *(Observed(ref, "", "<volume/>", state="active", details={"path": f"/d/{ref.short_name}"}) for ref in volumes),
    ]
    made = defined(plan(machine(), LastSeen(UID, stored), entry(), seen, volumes))
    assert "/d/taken" not in made.xml
    assert "/d/kept" in made.xml
    assert made.opens == (kept,), "its header is looked into before QEMU is"


NETWORK = (
    f"<network><name>lan</name><uuid>{UID}</uuid><forward mode='nat'/><bridge name='virbr7' stp='on' delay='0'/>"
    "<mac address='52:54:00:00:00:07'/><mtu size='1400'/><ip address='192.168.77.1' netmask='255.255.255.0'/></network>"
)


def lan(**spec: Any) -> Resource:
    return Resource(LAN, object_uid(REPOSITORY, LAN, ""), {"mode": "nat", **spec}, "lan.yaml", 1, digest="d")


def test_a_network_comes_back_with_its_bridge_mac_and_subnet() -> None:
    found = plan(lan(), LastSeen(UID, NETWORK, autostart=True), entry(ref=LAN))
    made = defined(found)
    assert made.uid == UID
    for kept in ("virbr7", "52:54:00:00:00:07", "1400", "192.168.77.1"):
        assert kept in made.xml, kept
    assert SetAutostart(LAN, True) in step(found).operations


def test_a_pool_comes_back_with_what_its_document_does_not_say() -> None:
    stored = (
        f"<pool type='dir'><name>disks</name><uuid>{UID}</uuid><target><path>/d</path><permissions><mode>0750</mode>"
        "</permissions></target></pool>"
    )
    pool = Resource(POOL, object_uid(REPOSITORY, POOL, ""), {"type": "dir", "path": "/d"}, "p.yaml", 1, digest="d")
    made = defined(plan(pool, LastSeen(UID, stored), entry(ref=POOL)))
    assert (made.uid, "0750" in made.xml) == (UID, True)


# What runs and was undefined would be gone with its next stop.


def running(**more: Any) -> Observed:
    live = DOMAIN.replace("<watchdog model='i6300esb' action='reset'/>", "")  # it was to come with the next boot
    return Observed(WEB, UID, live, live, "running", "booted", persistent=False, **more)


def test_a_running_machine_that_was_undefined_is_made_persistent_at_once_with_what_waited_for_its_boot() -> None:
    found = plan(machine(runStrategy="Always"), LastSeen(UID, DOMAIN, autostart=True), entry(), [running()])
    assert step(found).drift
    assert step(found).changes[0].pointer == "/persistent"
    assert "watchdog" in defined(found).xml
    assert SetAutostart(WEB, True) in step(found).operations
    assert not any(isinstance(each, Start | Stop | Undefine) for each in step(found).operations)


def test_without_a_memory_of_it_the_running_definition_has_to_do() -> None:
    made = defined(plan(machine(), None, entry(), [running()]))
    assert (made.uid, "br7" in made.xml) == (UID, True)


def test_drift_that_is_only_told_is_only_told() -> None:
    found = plan(replace(machine(memory=64), policy=Policy(drift="warn")), None, entry(), [running()])
    assert found.steps == ()
    assert [change.pointer for _, changes in found.drifted for change in changes] == ["/persistent"]


def test_a_network_that_was_undefined_while_it_is_active_likewise() -> None:
    seen = Observed(LAN, UID, NETWORK, NETWORK, "active", persistent=False)
    found = plan(lan(subnet="192.168.77.0/24"), LastSeen(UID, NETWORK), entry(ref=LAN), [seen])
    assert [type(each) for each in step(found).operations] == [Define]


# What has the object's UUID, or its bridge, or only its name, by now.


def test_its_uuid_is_not_given_to_two() -> None:
    other = Observed(network("other"), UID, NETWORK, NETWORK, "active")
    assert defined(plan(machine(), LastSeen(UID, DOMAIN), entry(), [other])).uid == MINE


def test_a_bridge_that_another_network_has_by_now_is_libvirts_to_choose() -> None:
    other = Observed(network("dmz"), OTHERS, NETWORK, NETWORK, "active", details={BRIDGE: "virbr7"})
    found = defined(plan(lan(), LastSeen(UID, NETWORK), entry(ref=LAN), [other]))
    assert "virbr7" not in found.xml
    assert "52:54:00:00:00:07" in found.xml
    assert "virbr7" in defined(plan(lan(), LastSeen(UID, NETWORK), entry(ref=LAN))).xml
    bare = NETWORK.replace("<bridge name='virbr7' stp='on' delay='0'/>", "")
    assert defined(plan(lan(), LastSeen(UID, bare), entry(ref=LAN), [other])).uid == UID


CONSOLES = {
    "an address in both places": (
        "<graphics type='vnc' listen='0.0.0.0' passwd='*****'><listen type='address' address='0.0.0.0'/></graphics>"
    ),
    "an address in one place": (
        "<graphics type='vnc' passwd='*****'><listen type='address' address='0.0.0.0'/></graphics>"
    ),
    "a network": "<graphics type='vnc' passwd='*****'><listen type='network' network='lan'/></graphics>",
    "a socket": "<graphics type='vnc' passwd='*****'><listen type='socket' socket='/run/web'/></graphics>",
}


@pytest.mark.parametrize("console", CONSOLES.values(), ids=CONSOLES)
def test_no_console_is_open_to_others_without_its_password(console: str) -> None:
    stored = LastSeen(UID, DOMAIN.replace("<watchdog", f"{console}<watchdog"))
    found = defined(plan(machine(), stored, entry())).xml
    assert ("passwd" in found, "0.0.0.0" in found, "network='lan'" in found, 'network="lan"' in found) == (False,) * 4
    assert ("/run/web" in found) is ("/run/web" in console)


def test_a_console_without_a_password_stays_as_open_as_it_was() -> None:
    console = "<graphics type='vnc' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>"
    stored = LastSeen(UID, DOMAIN.replace("<watchdog", f"{console}<watchdog"))
    assert "0.0.0.0" in defined(plan(machine(), stored, entry())).xml


def test_a_console_whose_password_is_declared_comes_back_with_its_place() -> None:
    stored = LastSeen(UID, DOMAIN.replace("<watchdog", f"{CONSOLES['an address in both places']}<watchdog"))
    document = machine(graphics={"type": "vnc", "listen": "0.0.0.0", "passwordFrom": {"file": "/secret"}})
    made = defined(plan(document, stored, entry()))
    assert "0.0.0.0" in made.xml
    assert [slot.source.file for slot in made.secrets] == ["/secret"]


@pytest.mark.parametrize(
    ("inside", "stays"),
    [
        pytest.param("", False, id="written to"),
        pytest.param("<readonly/>", True, id="only read"),
        pytest.param("<shareable/>", True, id="shared on purpose"),
    ],
)
def test_a_volume_named_by_its_pool_yields_to_who_writes_to_it_now(inside: str, stays: bool) -> None:
    volume = Ref.volume("disks", "taken")
    source = "<disk type='volume' device='disk'><source pool='disks' volume='taken'/><target dev='vdb'/>{}</disk>"
    stored = DOMAIN.replace("<watchdog", source.format(inside) + "<watchdog")
    other = Observed(vm("db"), OTHERS, f"<domain><devices>{source.format('')}</devices></domain>", state="shutoff")
    there = [other, Observed(volume, "", "<volume/>", state="active", details={"path": "/d/taken"})]
    made = defined(plan(machine(), LastSeen(UID, stored), entry(), there, {volume: VolumeSource("/d/taken")}))
    assert ("taken" in made.xml) is stays


@pytest.mark.parametrize(
    ("last", "known"),
    [
        pytest.param(LastSeen(UID, DOMAIN), entry(OTHERS), id="the ledger has another one"),
        pytest.param(LastSeen(OTHERS, DOMAIN), entry(OTHERS), id="another one was seen last"),
        pytest.param(LastSeen(UID, "<domain"), entry(), id="what was seen can't be read"),
    ],
)
def test_what_runs_keeps_its_own_definition_where_the_stored_one_is_another_ones(last: LastSeen, known: Owned) -> None:
    made = defined(plan(replace(machine(), uid=UID), last, known, [running(mark=Mark(REPOSITORY, "web"))]))
    assert "watchdog" not in made.xml
    assert (made.uid, "br7" in made.xml) == (UID, True)
