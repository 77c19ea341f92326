"""What a definition that nobody can read may use: rather too much, for what nobody uses may be removed."""

from __future__ import annotations

import pytest

from reconciler.observed.snapshot import Observed
from reconciler.planning.mentions import mentioned
from specs.host import VolumeSource
from specs.reference import NETWORK, STORAGE_POOL, Ref
from tests.planning.machines import DATA, LAN, POOL
from tests.planning.worlds import WEB, World, found

VOLUMES = {DATA.ref: VolumeSource("/default/data"), Ref.volume("default", "a&b"): VolumeSource("/default/a&b")}
LAN_REF = Ref(NETWORK, "lan")


@pytest.mark.parametrize(
    ("xml", "names"),
    [
        pytest.param("<source file='/default/data'/>", ["default/data", "default"], id="a path"),
        pytest.param("<source pool='default' volume='data'/>", ["default/data", "default"], id="a name"),
        pytest.param("<path>/default/data</path>", ["default/data", "default"], id="a text"),
        pytest.param("<source file='/default/data2'/>", [], id="a path that only begins like it"),
        pytest.param("<metadata/>", [], id="a tag that only holds its name"),
        pytest.param("<source file='/default/a&amp;b'/>", ["default/a&b", "default"], id="a path as XML writes it"),
        pytest.param("<source network='lan'/>", ["lan"], id="a network"),
        pytest.param(
            "<source network='lan'><source file='/default/data'", ["default/data", "default", "lan"], id="more"
        ),
    ],
)
def test_what_a_text_mentions_is_used(xml: str, names: list[str]) -> None:
    for seen in (Observed(WEB, "u", xml), Observed(WEB, "u", "<domain/>", live_xml=xml)):
        assert [ref.name for ref in mentioned(seen, VOLUMES, iter([LAN_REF]))] == names


def test_a_volume_does_not_use_itself() -> None:
    assert not list(mentioned(Observed(DATA.ref, "", "<name>data</name>"), VOLUMES, iter(())))


def test_a_machine_that_can_not_be_read_keeps_what_it_mentions() -> None:
    broken = Observed(WEB, "u", "<domain><source file='/default/data'/><source network='lan'/>", state="shutoff")
    users = World((), (POOL, LAN, found(DATA), broken)).context.users
    assert users[DATA.ref] == users[Ref(STORAGE_POOL, "default")] == users[LAN_REF] == {WEB}


def test_a_network_that_can_not_be_read_uses_nothing() -> None:
    broken = Observed(LAN_REF, "u", "<network><x y='/default/data'/>", state="active")
    assert not World((), (POOL, found(DATA), broken)).context.users
