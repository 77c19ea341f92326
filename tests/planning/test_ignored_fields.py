"""Fields that a document leaves to others are left out of what is compared, and nothing else becomes declared by it."""

from __future__ import annotations

import pytest

from reconciler.planning.diff import without_fields
from specs.registry import kinds


@pytest.mark.parametrize("pointer", ["/dhcp/hosts/0/ip", "/dhcp/hosts/52:54:00:00:00:01/name", "/dhcp", "/dhcp/start"])
def test_ignoring_a_field_of_a_list_that_is_not_declared_declares_none(pointer: str) -> None:
    binds = kinds()["Network"].xml.BINDS
    assert without_fields({"mode": "isolated"}, [pointer], binds) == {"mode": "isolated"}


def test_an_undeclared_list_of_disks_stays_undeclared() -> None:
    binds = kinds()["VirtualMachine"].xml.BINDS
    assert without_fields({"memory": 64}, ["/disks/0/bus", "/interfaces/lan/model"], binds) == {"memory": 64}
