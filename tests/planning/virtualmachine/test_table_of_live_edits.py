"""What a running machine is told at once, what waits and why, and when its console gets its password again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.assessment import Assessment
from reconciler.planning.diff import Comparison, compare
from reconciler.planning.gathered import Gathered
from reconciler.planning.operations import EditLive, SecretSlot, SecretSource
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan_options import PlanOptions, RefusedEdit
from reconciler.planning.reaching import within_reach
from reconciler.planning.virtualmachine.console_password import device_slots, renewal, slots, slots_again
from reconciler.planning.virtualmachine.live_edits import (
    NO_HOTPLUG,
    STANDS_STILL,
    in_order,
    live_edits,
    live_only,
    postponed,
    without_followed,
)
from specs.effect import Change, Effect
from specs.host import Feature, Host
from specs.reach import Reach, console_owner
from tests.planning.values import REPOSITORY, REVISION, network, resource, step, vm

WEB = vm("web")
UID = "3f0c8c1e-52f4-4b0a-9c3e-d1d1a2b3c4d5"
RUN = "7"  # libvirt's id of the running domain
MAC = "52:54:00:00:00:01"
SECRET = {"file": "/etc/onggi/secrets/vnc"}
EVERYTHING, NO_HOTPLUG_HOST = Host(features=frozenset(Feature)), Host()


def xml(title: str = "old", *, password: str = "") -> str:
    secret = f" passwd='{password}'" if password else ""
    graphics = f"<graphics type='vnc' port='-1'{secret}/>"
    source = "<source network='lan'/><model type='virtio'/>"
    interface = f"<interface type='network'><mac address='{MAC}'/>{source}</interface>"
    return (
        f"<domain type='qemu' id='{RUN}'><name>web</name><uuid>{UID}</uuid><title>{title}</title>"
        f"<memory unit='MiB'>512</memory><currentMemory unit='MiB'>64</currentMemory><vcpu>1</vcpu>"
        f"<os><type>hvm</type></os><devices>{interface}{graphics}</devices></domain>"
    )


def running(defined: str = "", live: str = "", state: str = "running") -> Observed:
    return Observed(WEB, UID, defined or xml(), live or defined or xml(), state)


def document(spec: Mapping[str, Any]) -> Resource:
    return Resource(WEB, UID, spec, "web.yaml", 1, digest="d1")


def told(
    spec: Mapping[str, Any], seen: Observed, host: Host = EVERYTHING, *, renewed: Change | None = None, **options: Any
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The verbs that the machine is told, and (field, effect, note) of all that waits."""
    wanted = document(spec)
    desired = DesiredState(REVISION, REPOSITORY, {WEB: wanted})
    context = Gathered(desired, Snapshot(1, host, {WEB: seen}), {}, options=PlanOptions(**options))
    edits, waiting = live_edits(wanted, seen, context, compare(wanted, seen, context.host), renewed)
    return [edit.verb for edit in edits], [(each.pointer, each.effect.value, each.note) for each in waiting]


OFF = Observed(WEB, UID, xml(), state="shutoff")
MOVED = {"interfaces": [{"mac": MAC, "network": "dmz"}]}
CASES: list[tuple[str, Mapping[str, Any], Observed, Host, list[str], list[tuple[str, str, str]]]] = [
    ("what is as declared is told nothing", {"title": "old"}, running(), EVERYTHING, [], []),
    ("a title", {"title": "new"}, running(), EVERYTHING, ["title"], []),
    ("memory", {"memory": 128}, running(), EVERYTHING, ["memory"], []),
    ("not while its CPUs stand still", {"memory": 128}, running(state="paused"), EVERYTHING, [],
     [("/memory", "live", STANDS_STILL)]),
    ("which holds up nothing else", {"memory": 128, "title": "new"}, running(state="paused"), EVERYTHING, ["title"],
     [("/memory", "live", STANDS_STILL)]),
    ("what comes true at the next boot waits for it", {"cpuMode": "maximum"}, running(), EVERYTHING, [],
     [("/cpuMode", "next-boot", "")]),
    ("a card is plugged into another network", MOVED, running(), EVERYTHING, ["update"], []),
    ("not over a connection that can't", MOVED, running(), NO_HOTPLUG_HOST, [],
     [("/interfaces/dmz/network", "next-boot", NO_HOTPLUG)]),
    ("which can all the rest", {"title": "new", "memory": 32}, running(), NO_HOTPLUG_HOST, ["title", "memory"], []),
    ("what only the running one lacks is told, too", {"title": "new"}, running(xml("new"), xml()), EVERYTHING,
     ["title"], []),
    ("one that is off is told nothing", {"title": "new"}, OFF, EVERYTHING, [], []),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_a_running_machine_is_told(case: tuple[str, Any, Observed, Host, list[str], list[Any]]) -> None:
    _, spec, seen, host, verbs, waiting = case
    found = told(spec, seen, host)
    pointers = [(pointer.rpartition("/")[2], *rest) for pointer, *rest in found[1]]
    assert (found[0], pointers) == (verbs, [(pointer.rpartition("/")[2], *rest) for pointer, *rest in waiting])


def test_what_it_refused_waits_for_its_boot_and_what_it_has_yet_to_follow_waits_for_the_guest() -> None:
    edit = EditLive(WEB, "memory", str(128 * 1024))
    refused = {(edit, RUN): RefusedEdit("refused")}
    assert told({"memory": 128}, running(), refused_edits=refused) == ([], [("/memory", "next-boot", "refused")])
    on_its_way = {(edit, RUN): RefusedEdit("told", until_boot=False)}
    assert told({"memory": 128}, running(), refused_edits=on_its_way) == ([], [("/memory", "live", "told")])
    assert told({"memory": 128}, running(), refused_edits={(edit, "6"): RefusedEdit("told")}) == (["memory"], []), (
        "of another run"
    )
    other = {(EditLive(WEB, "memory", "1"), RUN): RefusedEdit("told")}
    assert told({"memory": 128}, running(), refused_edits=other) == (["memory"], [])


def test_two_changes_of_one_card_are_one_edit() -> None:
    both = {"interfaces": [{"mac": MAC, "network": "dmz", "linkState": "down"}]}
    verbs, _ = told(both, running())
    assert verbs == ["update"]


# Which changes are put off, and which are only the running machine's.
LIVE, BOOT = Effect.LIVE, Effect.NEXT_BOOT


def change(pointer: str, effect: Effect = LIVE) -> Change:
    return Change(pointer, 1, 2, effect)


def comparison(config: Sequence[Change] = (), live: Sequence[Change] = ()) -> Comparison:
    return Comparison({}, tuple(config), tuple(live), (), (), frozenset(), frozenset())


def test_a_document_may_put_the_change_of_a_field_off_to_the_next_boot() -> None:
    both = comparison([change("/memory"), change("/title")], [change("/memory"), change("/cpus", BOOT)])
    found = postponed(both, frozenset({"memory", "cpus"}))
    assert [(each.pointer, each.effect) for each in found.config] == [("/memory", BOOT), ("/title", LIVE)]
    assert [(each.pointer, each.effect) for each in found.live] == [("/memory", BOOT), ("/cpus", BOOT)]
    assert postponed(both, frozenset()) is both


def test_what_an_edit_that_did_not_get_through_left_is_the_running_machines_alone() -> None:
    found = live_only(comparison([change("/memory")], [change("/memory"), change("/title"), change("/cpus", BOOT)]))
    assert [each.pointer for each in found] == ["/title"]


def test_what_the_guest_has_yet_to_follow_is_no_change_of_anybodys() -> None:
    changes = [change("/memory"), change("/title"), change("/cpus")]
    waiting = [change("/memory"), change("/title"), change("/cpus", BOOT)]
    left = without_followed(changes, comparison([change("/title")]), waiting)
    assert [each.pointer for each in left] == ["/title", "/cpus"]


def test_edits_without_a_device_name_keep_their_order() -> None:
    channel = EditLive(WEB, "attach", "<channel type='unix'><target type='virtio'/></channel>")
    gone = EditLive(WEB, "detach", "<channel type='unix'><target type='virtio'/></channel>")
    assert in_order([gone, channel, EditLive(WEB, "title", "x")]) == [EditLive(WEB, "title", "x"), channel, gone]


# The console's password. What it is is never known here, so that a new revision of its document says it again.
VNC = {"graphics": {"type": "vnc", "passwordFrom": SECRET}}
PLACE = SecretSlot("devices/graphics", "passwd", SecretSource(file=SECRET["file"]))


def test_where_a_password_goes() -> None:
    assert slots(document(VNC)) == (PLACE,)
    assert device_slots(document(VNC)) == (replace(PLACE, path="."),)
    assert slots(document({"graphics": {"type": "vnc"}})) == ()
    assert slots(document({"graphics": {"type": "none", "passwordFrom": SECRET}})) == ()


def again(
    spec: Mapping[str, Any], seen: Observed, digest: str | None = "d0", *, ignore: Sequence[str] = ()
) -> Change | None:
    wanted = document(spec)
    wanted = replace(wanted, policy=replace(wanted.policy, ignore_fields=tuple(ignore)))
    entry = Owned(WEB, UID, facts={Fact.DIGEST: digest}) if digest is not None else None
    return renewal(wanted, seen, entry, compare(wanted, seen, EVERYTHING))


@pytest.mark.parametrize(
    ("says", "spec", "seen", "digest", "effect"),
    [
        ("a new revision says it again, at once", VNC, running(xml(password="*****")), "d0", LIVE),
        ("at the next boot where the run has none", VNC, running(xml(password="*****"), xml()), "d0", BOOT),
        ("or nothing runs", VNC, Observed(WEB, UID, xml(password="*****"), state="shutoff"), "d0", BOOT),
        ("the same revision doesn't", VNC, running(xml(password="*****")), "d1", None),
        ("nor the first one of what is taken over", VNC, running(xml(password="*****")), None, None),
        ("one that is missing is a change like any other", VNC, running(), "d0", None),
        ("without one in the document it is others' business", {"graphics": {"type": "vnc"}},
         running(xml(password="*****")), "d0", None),
    ],
)  # fmt: skip
def test_when_a_password_is_put_in_again(
    says: str, spec: Mapping[str, Any], seen: Observed, digest: str | None, effect: Effect | None
) -> None:
    found = again(spec, seen, digest)
    assert (found.effect if found is not None else None) == effect, says
    assert found is None or (found.pointer, found.note) == ("/graphics/passwordFrom", "put in again")


def test_a_password_that_is_left_to_others_is_not_put_in() -> None:
    seen = running(xml(password="*****"))
    assert again(VNC, seen, ignore=["/graphics/passwordFrom"]) is None
    wanted = document(VNC)
    ignoring = replace(wanted, policy=replace(wanted.policy, ignore_fields=("/graphics/passwordFrom",)))
    assert slots_again(ignoring, compare(ignoring, seen, EVERYTHING)) == ()
    assert slots_again(wanted, compare(wanted, seen, EVERYTHING)) == (PLACE,)


def test_a_renewed_password_goes_into_the_running_console() -> None:
    seen = running(xml(password="*****"))
    renewed = again(VNC, seen)
    wanted = document(VNC)
    context = Gathered(DesiredState(REVISION, REPOSITORY, {WEB: wanted}), Snapshot(1, EVERYTHING, {WEB: seen}), {})
    edits, waiting = live_edits(wanted, seen, context, compare(wanted, seen, EVERYTHING), renewed)
    assert [(edit.verb, edit.secrets) for edit in edits] == [("update", (replace(PLACE, path="."),))]
    assert waiting == ()
    later = replace(renewed, effect=BOOT) if renewed is not None else None
    assert live_edits(wanted, seen, context, compare(wanted, seen, EVERYTHING), later) == ([], ())


# Which secret a document may name.
def reached(source: Mapping[str, str], reach: Reach | None, seen: Observed | None, uid: str = UID) -> tuple[bool, bool]:
    """Whether it is blocked, and whether the password is left in what is decided about."""
    wanted = replace(document({"graphics": {"type": "vnc", "passwordFrom": source}, "title": "x"}), uid=uid)
    context = Gathered(DesiredState(REVISION, REPOSITORY, {WEB: wanted}), Snapshot(1, Host(reach=reach), {}), {})
    looked_at: list[Resource] = []

    def assess(it: Resource) -> Assessment:
        looked_at.append(it)
        return Assessment(step=step(WEB))

    found = within_reach(wanted, seen, context, assess)
    assert all(it.spec["title"] == "x" and it.spec["graphics"]["type"] == "vnc" for it in looked_at)
    return found.blocked is not None, any("passwordFrom" in it.spec["graphics"] for it in looked_at)


def test_a_machine_may_only_have_a_secret_within_reach() -> None:
    reach = Reach(secret_folders=("/etc/onggi/secrets",), secret_variables=("ONGGI_VNC",), kept_secrets="/kept")
    for allowed in (SECRET, {"env": "ONGGI_VNC"}, {"file": f"/kept/{console_owner(UID)}-0123abcd"}):
        assert reached(allowed, reach, None) == (False, True)
        assert reached(allowed, reach, running()) == (False, True)
    for refused in ({"file": "/etc/shadow"}, {"env": "HOME"}, {"file": f"/kept/{console_owner('other')}-0123abcd"}):
        assert reached(refused, reach, None) == (True, False), "a new one isn't made"
        assert reached(refused, reach, running()) == (True, False), "all else goes on"
        assert reached(refused, None, None) == (False, True), "nobody has set bounds"


def test_an_adopted_machine_has_the_secret_of_either_uuid() -> None:
    reach = Reach(kept_secrets="/kept")
    for owner in (UID, "declared"):
        assert reached({"file": f"/kept/{console_owner(owner)}-0123abcd"}, reach, running(), "declared") == (
            False,
            True,
        )


def test_what_is_neither_a_machine_nor_a_pool_names_nothing() -> None:
    lan = replace(resource(network("lan")), spec={"mode": "nat"})
    context = Gathered(DesiredState(REVISION, REPOSITORY, {lan.ref: lan}), Snapshot(1, Host(reach=Reach()), {}), {})
    assert within_reach(lan, None, context, lambda it: Assessment(step=step(it.ref))).step is not None
