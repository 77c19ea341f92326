"""Fields that a document leaves to others are left out of what is compared, and nothing else becomes declared by it."""

from __future__ import annotations

import pytest

from reconciler.planning.diff import without_fields
from specs.registry import kinds

MAC = "52:54:00:00:00:01"


@pytest.mark.parametrize("pointer", ["/dhcp/hosts/0/ip", "/dhcp/hosts/52:54:00:00:00:01/name", "/dhcp", "/dhcp/start"])
def test_ignoring_a_field_of_a_list_that_is_not_declared_declares_none(pointer: str) -> None:
    binds = kinds()["Network"].xml.BINDS
    assert without_fields({"mode": "isolated"}, [pointer], binds) == {"mode": "isolated"}


@pytest.mark.parametrize(
    ("pointer", "left"),
    [
        ("/dhcp/hosts/0/ip", [{"mac": MAC, "name": "web"}]),
        (f"/dhcp/hosts/{MAC}/ip", [{"mac": MAC, "name": "web"}]),
        ("/dhcp/hosts/web/ip", [{"mac": MAC, "name": "web"}]),
        ("/dhcp/hosts/1/ip", [{"mac": MAC, "name": "web", "ip": "10.1.2.3"}]),
        ("/dhcp/hosts", None),
    ],
)
def test_a_field_of_a_list_within_another_field(pointer: str, left: object) -> None:
    spec = {"dhcp": {"start": "10.1.2.2", "hosts": [{"mac": MAC, "name": "web", "ip": "10.1.2.3"}]}}
    found = without_fields(spec, [pointer], kinds()["Network"].xml.BINDS)
    assert found["dhcp"].get("hosts") == left
    assert found["dhcp"]["start"] == "10.1.2.2"
    assert spec["dhcp"]["hosts"], "which is still what was declared"  # type: ignore[index]


def test_an_undeclared_list_of_disks_stays_undeclared() -> None:
    binds = kinds()["VirtualMachine"].xml.BINDS
    assert without_fields({"memory": 64}, ["/disks/0/bus", "/interfaces/lan/model"], binds) == {"memory": 64}
