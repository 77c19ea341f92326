"""What somebody sees of machines follows from the documents in force, and from nothing else that bears a name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.desired.state import DesiredState, Resource
from reconciler.errors import Transient
from reconciler.identity.role import Role
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.ownership import Owned
from reconciler.planning.plan import Plan
from reconciler.serving.client import Client
from reconciler.serving.sight import NOT_TOLD, Sight
from reconciler.source.tree import Revision
from specs.host import Host
from specs.mark import Mark
from specs.reference import VIRTUAL_MACHINE, Ref

UMA = Client("uma", role=Role.USER, groups=frozenset({"makers"}))
WEB, SHOP = Ref(VIRTUAL_MACHINE, "web"), Ref(VIRTUAL_MACHINE, "shop")
DISK = Ref.volume("pool", "web-root.qcow2")


def machine(ref: Ref, users: list[str] | None = None, groups: list[str] | None = None) -> Resource:
    access = {key: names for key, names in (("users", users), ("groups", groups)) if names is not None}
    return Resource(ref, "uid-1", {"access": access} if access else {}, "web.yaml", 1)


def world(*resources: Resource, seen: Observed | None = None, owned: Owned | None = None) -> World:
    desired = DesiredState(Revision("main", "sha1", "0"), "repository", {each.ref: each for each in resources})
    objects = {seen.ref: seen} if seen is not None else {}
    return World(desired, Snapshot(1, Host(), objects), Plan("r"), owned={owned.ref: owned} if owned else {})


def sight(client: Client, now: World) -> Sight:
    return Sight(client, lambda: now)


@pytest.mark.parametrize(
    ("users", "groups", "is_theirs"),
    [
        (["uma"], None, True),
        (None, ["makers"], True),
        (["olaf", "uma"], ["others"], True),
        (["olaf"], ["others"], False),
        (["makers"], ["uma"], False),
        (["UMA", "uma ", ""], ["Makers", ""], False),
        ([], [], False),
        (None, None, False),
    ],
    ids=str,
)
def test_a_machine_is_whose_its_document_names(users: list[str], groups: list[str], is_theirs: bool) -> None:
    now = world(machine(WEB, users, groups))
    assert sight(UMA, now).owns(WEB) is is_theirs
    assert sight(UMA, now).sees(WEB) is is_theirs
    assert sight(replace(UMA, role=Role.VIEWER), now).sees(WEB)


@pytest.mark.parametrize("role", Role)
def test_an_owner_has_at_least_an_operators_role_there_and_nowhere_else(role: Role) -> None:
    hers = sight(replace(UMA, role=role), world(machine(WEB, ["uma"]), machine(SHOP, ["olaf"])))
    assert hers.role_on(WEB) is max(role, Role.OPERATOR)
    assert hers.role_on(SHOP) is hers.role_on(DISK) is role


def test_who_only_looks_by_what_they_came_with_does_so_at_a_machine_of_theirs_too() -> None:
    hers = sight(replace(UMA, read_only=True), world(machine(WEB, ["uma"])))
    assert hers.sees(WEB) and hers.role_on(WEB) is Role.VIEWER


def test_what_came_with_a_machine_is_seen_with_it() -> None:
    disk = Resource(DISK, "", {}, "web.yaml", 1, parent=WEB)
    for mine, seen in ((["uma"], True), (["olaf"], False)):
        assert sight(UMA, world(machine(WEB, mine), disk)).sees(DISK) is seen
        assert sight(UMA, world(machine(WEB, mine), owned=Owned(DISK, "", parent=WEB))).sees(DISK) is seen
    assert not sight(UMA, world(machine(WEB, ["uma"]))).sees(Ref("Network", "default"))


@pytest.mark.parametrize(
    ("seen", "owned", "is_theirs"),
    [
        (Observed(WEB, "uid-1", ""), None, True),
        (Observed(WEB, "uid-2", ""), None, False),
        (Observed(WEB, "uid-2", ""), Owned(WEB, "uid-2"), True),
        (Observed(WEB, "uid-2", ""), Owned(WEB, "uid-1"), False),
        (Observed(WEB, "uid-2", "", mark=Mark("repository", "web")), None, True),
        (Observed(WEB, "uid-2", "", mark=Mark("repository", "other")), None, False),
        (Observed(WEB, "uid-2", "", mark=Mark("another", "web")), None, False),
    ],
)
def test_a_machine_that_somebody_put_under_its_name_is_not_the_documents(
    seen: Observed, owned: Owned | None, is_theirs: bool
) -> None:
    assert sight(UMA, world(machine(WEB, ["uma"]), seen=seen, owned=owned)).owns(WEB) is is_theirs


def test_a_machine_without_a_document_is_nobodys() -> None:
    assert not sight(UMA, world(seen=Observed(WEB, "uid-1", ""))).sees(WEB)


def test_a_list_leaves_out_what_is_not_theirs() -> None:
    now = world(machine(WEB, ["uma"]), machine(SHOP))
    assert sight(UMA, now).machines(["shop", "web", "unknown"]) == ["web"]
    assert sight(replace(UMA, role=Role.VIEWER), now).machines(["shop", "web"]) == ["shop", "web"]


@pytest.mark.parametrize(
    ("text", "said", "told"),
    [
        ("web waits for the network lan.", "", True),
        ("The device is in use by shop.", "", False),
        ("The device is in use by VirtualMachine/shop", "", False),
        ("Go to the workshop, to shop2 or web-shop.", "", True),
        ("There is no snapshot shop.", "/vms/web/snapshots/shop", True),
        ("The volume pool/shop-root.qcow2 is in use.", "", False),
        ("The volume pool/web-root.qcow2 is full.", "", True),
        ("The volume pool/debian.iso is in use.", "", True),
        ("The device was in use by bakery.", "", False),
    ],
)
def test_a_sentence_that_names_anothers_machine_is_not_told(text: str, said: str, told: bool) -> None:
    theirs, image = Ref.volume("pool", "shop-root.qcow2"), Ref.volume("pool", "debian.iso")
    volumes = (
        Resource(DISK, "", {}, "web.yaml", 1, parent=WEB),
        Resource(theirs, "", {}, "shop.yaml", 1, parent=SHOP),
        Resource(image, "", {}, "debian.yaml", 1),
    )
    now, gone = world(machine(WEB, ["uma"]), machine(SHOP), *volumes), [WEB, Ref(VIRTUAL_MACHINE, "bakery")]
    assert sight(UMA, now).told(text, said, gone) == (text if told else NOT_TOLD)
    assert sight(replace(UMA, role=Role.VIEWER), now).told(text) == text


def test_before_anything_is_known_a_viewer_sees_and_a_user_waits() -> None:
    def nothing() -> World:
        raise Transient("The first pass isn't through.")

    assert Sight(replace(UMA, role=Role.VIEWER), nothing).sees(WEB)
    with pytest.raises(Transient):
        Sight(UMA, nothing).sees(WEB)
