"""A guest is told its address only for a card that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.observed.snapshot import Observed
from reconciler.planning.virtualmachine.fixed_addresses import unknown_mac
from specs.host import Host
from specs.virtualmachine.lowering import lower, mac_addresses
from tests.planning.values import resource, vm

UID = "6f9e2a64-7a0b-4a35-8d0d-0d9f6c0f3c30"
LAN: dict[str, Any] = {"network": "lan", "addresses": ["192.168.7.5/24"]}
(DERIVED,) = mac_addresses([LAN], UID)
OTHER = "52:54:00:aa:bb:cc"


def blocked(interface: dict[str, Any], *macs: str) -> str:
    cards = "".join(
        f"<interface type='network'><mac address='{mac}'/><source network='lan'/></interface>" for mac in macs
    )
    observed = Observed(vm("web"), UID, f"<domain><devices>{cards}</devices></domain>")
    spec = {"interfaces": [interface]}
    answer = unknown_mac(
        replace(resource(vm("web")), spec=spec), lower(spec, name="web", uid=UID, host=Host()), observed
    )
    return answer.message if answer is not None else ""


@pytest.mark.parametrize(
    ("interface", "macs"),
    [
        (LAN, (DERIVED,)),
        (LAN, (OTHER, DERIVED)),
        (LAN, ()),  # it is plugged in now, with the address that is derived
        (LAN | {"mac": OTHER}, (OTHER,)),
        ({"network": "lan"}, (OTHER,)),
    ],
)
def test_an_address_goes_to_a_card_that_is_known(interface: dict[str, Any], macs: tuple[str, ...]) -> None:
    assert blocked(interface, *macs) == ""


def test_the_address_of_a_card_that_others_made_waits_for_its_mac_to_be_written() -> None:
    assert f"`mac: {OTHER}`" in blocked(LAN, OTHER)
