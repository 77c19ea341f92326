"""Who uses what on a host, where what is declared will be, what an object is called: the inputs of each decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed, Snapshot
from reconciler.planning.context import Context, has_object
from reconciler.planning.gathered import Gathered
from reconciler.planning.mentions import mentioned
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.projected_host import future_format
from reconciler.planning.rules import rules_of
from reconciler.planning.storagevolume.uses import users_of
from specs.host import Host, VolumeSource
from specs.reference import NETWORK, STORAGE_POOL, TEMPLATE, Ref
from tests.planning.values import REPOSITORY, REVISION, network, resource, vm

WEB, SHOP, LAN, POOL = vm("web"), vm("shop"), network("lan"), Ref(STORAGE_POOL, "disks")
TOP, MIDDLE, BASE = (Ref.volume("disks", name) for name in ("top", "middle", "base"))


def disk(source: str) -> str:
    """`/path` of a file, `/dev/...` of a device, or `pool/volume`."""
    pool, _, name = source.partition("/")
    if pool:
        kind, said = "volume", f"pool='{pool}' volume='{name}'"
    else:
        kind, said = ("block", f"dev='{source}'") if source.startswith("/dev/") else ("file", f"file='{source}'")
    return f"<disk type='{kind}' device='disk'><source {said}/><target dev='vda' bus='virtio'/></disk>"


def machine(ref: Ref, *sources: str, live: Sequence[str] | None = None, more: str = "", state: str = "") -> Observed:
    def xml(each: Iterable[str]) -> str:
        return f"<domain><name>{ref.name}</name><devices>{''.join(map(disk, each))}{more}</devices></domain>"

    running = state or ("running" if live is not None else "shutoff")
    return Observed(ref, f"u-{ref.name}", xml(sources), xml(live) if live is not None else None, running)


def volume(ref: Ref, backing: str = "") -> Observed:
    return Observed(ref, "", "<volume/>", details={"path": f"/disks/{ref.short_name}", "backing": backing})


def context_of(
    *seen: Observed,
    declared: Iterable[Resource] = (),
    owned: Iterable[Owned] = (),
    host: Host | None = None,
    **more: Any,
) -> Context:
    objects = {each.ref: each for each in seen}
    volumes = {ref: VolumeSource(each.details["path"]) for ref, each in objects.items() if ref.pool}
    desired = DesiredState(REVISION, REPOSITORY, {each.ref: each for each in declared})
    known = {each.ref: each for each in owned}
    return Gathered(desired, Snapshot(1, host or Host(volumes=volumes), objects), known, **more)


CARD = "<interface type='network'><source network='lan'/></interface>"
CDROM = "<disk type='file' device='cdrom'><source file='/disks/base'/><target dev='sda' bus='sata'/></disk>"
# What is on the host -> who uses what of it.
USES: dict[str, tuple[Sequence[Observed], Mapping[Ref, set[Ref]]]] = {
    "a disk by its path is used, and the pool that it lies in": (
        [volume(TOP), machine(WEB, "/disks/top")], {TOP: {WEB}, POOL: {WEB}},
    ),
    "by pool and name": ([machine(WEB, "disks/top")], {TOP: {WEB}, POOL: {WEB}}),
    "a device": (
        [replace(volume(TOP), details={"path": "/dev/vg/top"}), machine(WEB, "/dev/vg/top")], {TOP: {WEB}, POOL: {WEB}},
    ),
    "a CD": ([volume(BASE), machine(WEB, more=CDROM)], {BASE: {WEB}, POOL: {WEB}}),
    "what only the running one has": (
        [volume(TOP), volume(BASE), machine(WEB, "/disks/top", live=["/disks/base"])],
        {TOP: {WEB}, BASE: {WEB}, POOL: {WEB}},
    ),
    "by several machines": (
        [volume(TOP), machine(WEB, "/disks/top"), machine(SHOP, "/disks/top")], {TOP: {WEB, SHOP}, POOL: {WEB, SHOP}},
    ),
    "a network by a card": ([machine(WEB, more=CARD)], {LAN: {WEB}}),
    "a base by the volume above it, and not by whoever has that": (
        [volume(TOP, "/disks/base"), volume(BASE), machine(WEB, "/disks/top")],
        {BASE: {TOP}, TOP: {WEB}, POOL: {WEB}},
    ),
    "a base that is no volume is nobody's": ([volume(TOP, "/elsewhere")], {}),
    "nor is a disk that is none": ([machine(WEB, "/elsewhere")], {}),
    "networks and pools use nothing": ([Observed(LAN, "l", "<network/>"), Observed(POOL, "p", "<pool/>")], {}),
    # What can't be read uses whatever its text mentions: what nobody uses may be removed.
    "a definition that can't be read uses what it mentions": (
        [volume(TOP), volume(BASE), Observed(LAN, "l", ""), Observed(POOL, "p", ""),
         Observed(WEB, "w", "<domain><disk file='/disks/top'/><source network='lan'/>")],
        {TOP: {WEB}, POOL: {WEB}, LAN: {WEB}},
    ),
    "by its short name, too, and in the running one": (
        [volume(TOP), Observed(WEB, "w", "<domain", "<domain><source volume='top'/>", "running")],
        {TOP: {WEB}, POOL: {WEB}},
    ),
    "and as its element's text": (
        [volume(BASE), Observed(WEB, "w", "<domain><loader>/disks/base</loader>")], {BASE: {WEB}, POOL: {WEB}},
    ),
    "not what its text only contains": ([volume(TOP), Observed(WEB, "w", "<domain><disk file='/disks/top2'/>")], {}),
}  # fmt: skip


@pytest.mark.parametrize("says", USES)
def test_who_uses_what(says: str) -> None:
    seen, used = USES[says]
    assert dict(context_of(*seen).users) == used


@pytest.mark.parametrize("kind", [NETWORK, STORAGE_POOL])
def test_what_cannot_be_read_of_a_network_or_pool_uses_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError

    monkeypatch.setattr(rules_of(kind), "uses", fail)
    mentioning = Observed(Ref(kind, "it"), "u", "<x><source file='/disks/top'/>")
    assert dict(context_of(volume(TOP), mentioning).users) == {}


def test_a_volume_does_not_use_itself_by_naming_its_path() -> None:
    own = Observed(
        TOP, "", "<volume><path>/disks/top</path><backing>/disks/base</backing>", details={"path": "/disks/top"}
    )
    volumes = {ref: VolumeSource(f"/disks/{ref.short_name}") for ref in (TOP, BASE)}
    assert list(mentioned(own, volumes, iter([LAN]))) == [BASE, POOL]


def test_a_name_with_an_ampersand_is_found_as_xml_has_it() -> None:
    seen = Observed(WEB, "w", "<domain><disk file='/disks/a&amp;b'/><source network='l&amp;n'/>")
    found = mentioned(seen, {Ref.volume("disks", "a&b"): VolumeSource("/disks/a&b")}, iter([network("l&n"), LAN]))
    assert list(found) == [Ref.volume("disks", "a&b"), POOL, network("l&n")]


def test_of_an_unreadable_machine_it_is_said_to_the_api_likewise() -> None:
    seen = {
        each.ref: each for each in (volume(TOP), volume(BASE), Observed(WEB, "w", "<domain><disk file='/disks/top'/>"))
    }
    volumes = {ref: VolumeSource(each.details["path"]) for ref, each in seen.items() if ref.pool}
    assert users_of(Snapshot(1, Host(volumes=volumes), seen)) == {TOP: (WEB,)}


def test_only_machines_that_run_are_running_users_in_the_order_of_their_names() -> None:
    seen = [machine(WEB, "/disks/top", live=[]), machine(SHOP, "/disks/top", live=[]), machine(vm("off"), "/disks/top")]
    context = context_of(volume(TOP), *seen, machine(vm("paused"), "/disks/top", live=[], state="paused"))
    assert context.running_users(TOP) == [vm("paused"), SHOP, WEB]
    backed = context_of(volume(BASE), volume(TOP, "/disks/base"), machine(WEB, "/disks/top", live=[]))
    assert backed.running_users(BASE) == [], "a volume doesn't run"
    assert backed.running_users(LAN) == []


def test_a_machine_that_is_left_alone_is_not_told_to_have_lost_its_network() -> None:
    net = Observed(
        LAN, "l", "<network/>", "<network><bridge name='br'/></network>", "active", details={BRIDGE: "br", PORTS: {}}
    )
    lost = [machine(each, live=[], more=CARD) for each in (WEB, SHOP)]
    assert dict(context_of(net, *lost).disconnected) == {LAN: (SHOP, WEB)}
    assert dict(context_of(net, *lost, suspended=frozenset({WEB})).disconnected) == {LAN: (SHOP,)}
    assert dict(context_of(net, *lost, suspended=frozenset({WEB, SHOP})).disconnected) == {}


# The name that an object has now, by what the ledger remembers.
@pytest.mark.parametrize(
    ("says", "entry", "seen", "called"),
    [
        ("as ever", Owned(WEB, "u-web"), [machine(WEB)], WEB),
        ("another one by its UUID", Owned(WEB, "u-shop"), [machine(SHOP)], SHOP),
        ("also where something else has taken its name", Owned(WEB, "u-shop"), [machine(WEB), machine(SHOP)], SHOP),
        ("its own when it is gone", Owned(WEB, "u-web"), [], WEB),
        ("its own where only another kind has the UUID", Owned(WEB, "u"), [Observed(LAN, "u", "<network/>")], WEB),
        ("a volume has no other", Owned(TOP, ""), [volume(BASE)], TOP),
    ],
)
def test_what_an_object_is_called_now(says: str, entry: Owned, seen: Sequence[Observed], called: Ref) -> None:
    assert context_of(*seen).present_name(entry) == called, says


def pool_of(kind: str, **spec: Any) -> Resource:
    return replace(resource(POOL), spec={"type": kind, **spec})


# Where a declared volume will be: (pools that are declared, what the host has) -> its place.
@pytest.mark.parametrize(
    ("says", "declared", "host", "place"),
    [
        ("in the folder of a pool that is declared", [pool_of("dir", path="/srv/")], Host(), "/srv/top"),
        ("in the one that it has by default", [pool_of("netfs")], Host(), "/var/lib/libvirt/onggi/disks/top"),
        ("where the pool on the host is, whatever is declared", [pool_of("dir", path="/srv")],
         Host(pool_paths={"disks": "/disks"}), "/disks/top"),
        ("where it is already", [pool_of("dir", path="/srv")],
         Host(volumes={TOP: VolumeSource("/old/top")}), "/old/top"),
        ("nobody knows for a group of volumes", [pool_of("logical", path="/dev/vg")], Host(), None),
        ("nor in a pool that isn't known", [], Host(), None),
        ("nor in one without a folder", [pool_of("dir")], Host(), None),
    ],
)  # fmt: skip
def test_where_a_volume_will_be(says: str, declared: Sequence[Resource], host: Host, place: str | None) -> None:
    wanted = replace(resource(TOP), spec={"pool": "disks"})
    context = context_of(declared=[*declared, wanted], host=host)
    found = context.host.volume_source(TOP)
    assert (found.path if found is not None else None) == place, says
    assert context.volume_at == ({place: TOP} if place else {})
    assert context.present_at == ({"/old/top": TOP} if place == "/old/top" else {})


CONTENT = {"content": b"seed"}
EMPTY, NAMED = {"pool": "disks"}, {"pool": "disks", "format": "raw"}
DOWNLOAD = {"pool": "disks", "source": {"url": "https://images.example/download"}}


# What the bytes of a volume are taken for: only where nothing else says it, what libvirt finds in them.
@pytest.mark.parametrize(
    ("says", "spec", "more", "facts", "found", "taken"),
    [
        ("what its document says", NAMED, {}, None, "qcow2", "raw"),
        ("for a seed, what is written", EMPTY, CONTENT, None, "qcow2", "raw"),
        ("for one that onggi made empty, what it made", EMPTY, {}, {}, "raw", "qcow2"),
        ("for one that was there, what is in it", EMPTY, {}, None, "raw", "raw"),
        ("for a download, what it was taken for", DOWNLOAD, {}, {Fact.FORMAT: "qcow2"}, "raw", "qcow2"),
        ("or raw, when nobody remembers", DOWNLOAD, {}, None, "qcow2", "raw"),
    ],
)
def test_what_the_bytes_of_a_volume_are_taken_for(
    says: str, spec: Mapping[str, Any], more: Mapping[str, Any], facts: Mapping[str, str] | None, found: str, taken: str
) -> None:
    wanted = replace(resource(TOP), spec=spec, **more)
    host = Host(pool_paths={"disks": "/disks"}, volumes={TOP: VolumeSource("/disks/top", "file", found)})
    known = [Owned(TOP, "", facts=facts)] if facts is not None else []
    assert context_of(declared=[wanted], owned=known, host=host).host.volumes[TOP].format == taken, says
    adopted = [replace(each, created=False) for each in known]
    if says.startswith("for one that onggi made"):
        assert context_of(declared=[wanted], owned=adopted, host=host).host.volumes[TOP].format == found


@pytest.mark.parametrize(
    ("name", "spec", "more", "made"),
    [
        ("top", EMPTY, {}, "qcow2"),
        ("top", NAMED, {}, "raw"),
        ("top", EMPTY, CONTENT, "raw"),
        ("top.iso", {**DOWNLOAD, "source": {"url": "https://images.example/x"}}, {}, "raw"),
    ],
)
def test_what_a_new_volume_will_be(name: str, spec: Mapping[str, Any], more: Mapping[str, Any], made: str) -> None:
    assert future_format(replace(resource(Ref.volume("disks", name)), spec=spec, **more)) == made


def test_a_file_above_an_image_is_a_snapshots_unless_it_is_declared_or_ours() -> None:
    second = Ref.volume("disks", "second")
    chain = [volume(BASE), volume(MIDDLE, "/disks/base"), volume(TOP, "/disks/middle"), volume(second, "/disks/base")]
    assert set(context_of(*chain).host.above("/disks/base")) == {"/disks/middle", "/disks/top", "/disks/second"}
    assert context_of(*chain, owned=[Owned(MIDDLE, "")]).host.above("/disks/base") == ("/disks/second",)
    declared = [replace(resource(second), spec=EMPTY)]
    assert set(context_of(*chain, declared=declared).host.above("/disks/base")) == {"/disks/middle", "/disks/top"}


def test_the_places_of_a_resources_volumes_are_what_its_definition_depends_on() -> None:
    context = context_of(volume(TOP))
    assert context.resource_sources(resource(WEB, TOP, LAN, BASE)) == (VolumeSource("/disks/top"), None)
    assert context.resource_sources(resource(WEB, LAN)) == ()


def test_a_template_has_no_object_on_the_host() -> None:
    assert not has_object(Ref(TEMPLATE, "small"))
    assert all(map(has_object, (WEB, LAN, POOL, TOP)))
