"""Whose paths a connection tells of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.locality import is_here


@pytest.mark.parametrize(
    "uri", ["qemu:///system", "test:///default", "qemu+unix:///system?socket=/run/x", "qemu+tls:///system"]
)
def test_an_address_without_a_host_is_this_machine(uri: str) -> None:
    assert is_here(uri)


@pytest.mark.parametrize(
    "uri", ["qemu+ssh://root@kvm1/system", "qemu+tcp://127.0.0.1:16509/system", "qemu://[::1]/system"]
)
def test_an_address_with_a_host_is_elsewhere(uri: str) -> None:
    assert not is_here(uri)


def test_nobody_beside_it_asks_a_connections_address_for_a_host() -> None:
    room = Path(__file__).parents[1] / "reconciler/hypervisor"
    asking = {path.name for path in room.rglob("*.py") if re.search(r"\.(hostname|netloc)\b", path.read_text())}
    assert asking == {"downloads.py", "display.py"}, "ask `is_here`: they have servers elsewhere"
