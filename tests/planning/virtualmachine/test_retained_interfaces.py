"""A guest's network cards and drives stay plugged in, whatever their entries are called: the rules alone."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.planning.operations import Define, EditLive, Undefine
from reconciler.planning.plan import Plan, one_off_step
from specs.binding import parse
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from tests.desired.documents import document, vm
from tests.planning.rehearsed_host import RehearsedHost, pool, steps_of

WEB = Ref(VIRTUAL_MACHINE, "web")


def files(*networks: str, **fields: Any) -> dict[str, str | bytes]:
    declared = {f"{name}.yaml": document("Network", name, {"mode": "isolated", "dhcp": {"enabled": False}})
                for name in networks}  # fmt: skip
    return {"default.yaml": pool("default"), **declared, "web.yaml": vm("web", {"runStrategy": "Always", **fields})}


def cards(host: RehearsedHost) -> list[tuple[str, str]]:
    """Address and network of each card."""
    return [(each["mac"], each["network"]) for each in host.objects[WEB].config["interfaces"]]


def verbs(plan: Plan) -> list[str]:
    return [each.verb for step in steps_of(plan, "web") for each in step.operations if isinstance(each, EditLive)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([{"network": "lan"}], [{"network": "lan", "name": "first"}], []),
        ([{"network": "lan"}], [{"network": "wan"}], ["update"]),
        ([{"network": "lan", "name": "a"}], [{"network": "wan", "name": "b"}], ["update"]),
        ([{"network": "lan"}, {"network": "wan"}], [{"network": "wan"}, {"network": "lan"}], []),
        ([{"network": "lan", "name": "a"}, {"network": "lan", "name": "b"}],
         [{"network": "lan", "name": "b"}, {"network": "lan", "name": "c"}], []),
        ([{"network": "lan"}, {"network": "lan", "name": "b"}],
         [{"network": "wan", "name": "c"}, {"network": "wan", "name": "d"}], ["update", "update"]),
    ],
    ids=["named", "moved", "renamed and moved", "reordered", "one renamed beside another", "both renamed and moved"],
)  # fmt: skip
def test_a_card_keeps_its_address_and_is_never_unplugged(
    before: list[Any], after: list[Any], expected: list[str]
) -> None:
    host = RehearsedHost()
    host.apply(files("lan", "wan", interfaces=before))
    macs = {mac for mac, _ in cards(host)}
    plan = host.apply(files("lan", "wan", interfaces=after))
    assert verbs(plan) == expected
    assert {mac for mac, _ in cards(host)} == macs
    assert sorted(network for _, network in cards(host)) == sorted(item["network"] for item in after)
    assert host.plan(files("lan", "wan", interfaces=after)).empty


def test_a_card_whose_entry_was_renamed_goes_when_it_is_no_longer_declared() -> None:
    host = RehearsedHost()
    host.apply(files("lan", "wan", interfaces=[{"network": "lan"}, {"network": "wan"}]))
    [(first, _), _] = cards(host)
    host.apply(files("lan", "wan", interfaces=[{"network": "lan", "name": "x"}, {"network": "wan"}]))
    host.apply(files("lan", "wan", interfaces=[{"network": "wan"}]))
    assert [network for _, network in cards(host)] == ["wan"]
    assert first not in {mac for mac, _ in cards(host)}


def test_a_card_of_somebody_else_is_not_taken_for_a_renamed_one() -> None:
    host = RehearsedHost()
    host.apply(files("lan", "wan", interfaces=[{"network": "lan"}]))
    by_hand = "<interface type='network'><mac address='52:54:00:00:00:99'/><source network='lan'/></interface>"
    seen = host.objects[WEB]
    xml = seen.xml.replace("</devices>", f"{by_hand}</devices>")
    host.perform(Plan("", (one_off_step(WEB, "by hand", Define(WEB, seen.uid, xml)),)))
    host.apply(files("lan", "wan", interfaces=[{"network": "lan"}, {"network": "wan"}]))
    assert ("52:54:00:00:00:99", "lan") in cards(host)
    assert len(cards(host)) == 3


def test_a_network_of_another_name_takes_its_guests_along_by_an_update() -> None:
    host = RehearsedHost()
    host.apply(files("lan", interfaces=[{"network": "lan"}]))
    [(mac, _)] = cards(host)
    wish = files("intern", interfaces=[{"network": "intern"}])
    plan = host.apply(wish)
    assert verbs(plan) == ["update"]
    assert cards(host) == [(mac, "intern")]
    assert not any(isinstance(each, Undefine) for step in plan.steps for each in step.operations), "while it is in use"
    host.apply(wish)
    assert Ref(NETWORK, "lan") not in host.objects


MEDIUM = {"name": "media", "path": "/isos/a.iso"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([MEDIUM], [{**MEDIUM, "name": "install"}]),
        ([MEDIUM, {"name": "b"}], [{"name": "b"}, {**MEDIUM, "name": "install"}]),
        ([{"path": "/isos/a.iso"}, {"path": "/isos/b.iso"}], [{"path": "/isos/b.iso", "name": "x"},
                                                               {"path": "/isos/a.iso"}]),
    ],
    ids=["renamed", "renamed and reordered", "two by their places"],
)  # fmt: skip
def test_a_drive_of_another_name_keeps_its_medium(before: list[Any], after: list[Any]) -> None:
    host = RehearsedHost()
    host.desired = type(host.desired)(allowed_folders=("/isos",))
    host.apply(files(cdroms=before))
    media = drives(host)
    plan = host.apply(files(cdroms=after))
    assert verbs(plan) == []
    assert drives(host) == media


@pytest.mark.parametrize(
    "change", [{"userData": "#cloud-config\nruncmd: [x]\n"}, {"pool": "fast"}], ids=["another text", "another pool"]
)
def test_a_seed_is_changed_in_its_drive_without_a_question(change: dict[str, str]) -> None:
    def wish(**cloud_init: str) -> dict[str, str | bytes]:
        return {"fast.yaml": pool("fast"), **files(cloudInit={"userData": "#cloud-config\n", **cloud_init})}

    host = RehearsedHost()
    host.apply(wish())
    plan = host.apply(wish(**change))
    assert not plan.blocked
    assert set(verbs(plan)) <= {"update"}
    assert len(drives(host)) == 1


def drives(host: RehearsedHost) -> list[tuple[str, str]]:
    """Device name and medium of each CD-ROM drive."""
    found = parse(host.objects[WEB].xml).findall("devices/disk[@device='cdrom']")
    return [
        (str(each.find("target").get("dev")), "" if (source := each.find("source")) is None else source.get("file", ""))  # type: ignore[union-attr]
        for each in found
    ]
