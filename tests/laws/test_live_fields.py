"""Each field that a document can change in a running machine is shown in one, by a test that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from specs.declared import BESIDE, Declared
from specs.effect import Effect
from specs.effects import field_effects
from specs.registry import kinds
from tests.lab.live_fields import is_shown, shown_live

MACHINE = kinds()["VirtualMachine"]
FIELDS = {told.field.replace(".", "/"): told.effect for told in field_effects(MACHINE)}
SHOWN = shown_live()

HARDWARE = "needs a device of the host's that no test may take"
# Fields that no test can show in a running machine, and why.
EXCEPTED = {
    "hostDevices": HARDWARE,
    **{f"hostDevices/{which}": HARDWARE for which in ("device", "pci", "usb", "scsi", "mdev", "vhost")},
    "interfaces/bridge": "needs a bridge of the host's",
    **{
        f"interfaces/bandwidth/{way}/{word}": "needs a kernel with the queueing disciplines that libvirt asks for"
        for way in ("inbound", "outbound")
        for word in ("average", "peak", "burst", "floor")
        if (way, word) != ("outbound", "floor")
    },
    "cdroms/url": "needs a server in a network that documents may name",
}


def holders(name: str) -> Iterator[tuple[str, Declared]]:
    """(`/`-joined name, field) of a field and of what it is in."""
    spec, parts = MACHINE.declarations.SPEC, name.split("/")
    for index, part in enumerate(parts):
        spec = spec[part]
        yield "/".join(parts[: index + 1]), spec


def is_in_definition(name: str) -> bool:
    return not any(field.at == BESIDE for _, field in holders(name))


LIVE = [name for name, effect in FIELDS.items() if effect in (Effect.LIVE, None) and is_in_definition(name)]


@pytest.mark.parametrize("name", LIVE)
def test_a_test_shows_it_in_a_running_machine(name: str) -> None:
    if name not in EXCEPTED:
        assert is_shown(MACHINE.declarations.SPEC, name, SHOWN), (
            f'write a test in tests/live with @shows_live("{name}")'
        )


def test_what_is_said_to_be_shown_is_a_field() -> None:
    for name in SHOWN:
        assert list(holders(name)), name  # raises KeyError for what is none


def test_what_is_let_off_is_a_live_field_that_no_test_shows() -> None:
    assert set(EXCEPTED) <= set(LIVE)
    assert not set(EXCEPTED) & set(SHOWN)


def test_the_decorator_is_found_in_a_test_that_is_only_read(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text('@shows_live("a/b", "c")\ndef test_one(): ...\n\n\ndef test_two(): ...\n')
    assert shown_live(tmp_path) == {"a/b": ("test_it.py::test_one",), "c": ("test_it.py::test_one",)}
