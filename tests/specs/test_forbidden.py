"""Rules of the host's administrator about what documents say: what each fits, and what is no rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SettingsError
from reconciler.settings.settings import Settings
from specs.forbidden import Forbidden, forbidden_in, told
from specs.forbidden_text import NoRuleError, rule

MACHINE = "VirtualMachine"


@pytest.mark.parametrize(
    ("text", "spec", "fits"),
    [
        ("VirtualMachine", {}, True),
        ("VirtualMachine.hostDevices", {"hostDevices": [{"device": "pci_0000_01_00_0"}]}, True),
        ("VirtualMachine.hostDevices", {"hostDevices": []}, False),
        ("VirtualMachine.hostDevices", {}, False),
        ("VirtualMachine.cdroms.url", {"cdroms": [{"name": "a"}, {"name": "b", "url": "https://x/y.iso"}]}, True),
        ("VirtualMachine.cdroms.url", {"cdroms": [{"name": "a", "path": "/srv/y.iso"}]}, False),
        ("VirtualMachine.cdroms.path=/srv/*", {"cdroms": [{"name": "a", "path": "/srv/y.iso"}]}, True),
        ("VirtualMachine.cdroms.path!=/srv/*", {"cdroms": [{"name": "a", "path": "/srv/y.iso"}]}, False),
        ("VirtualMachine.graphics.listen!=127.0.0.1,::1", {"graphics": {"listen": "0:0::1"}}, False),
        ("VirtualMachine.graphics.listen!=127.0.0.1,::1", {"graphics": {"listen": "192.0.2.1"}}, True),
        ("VirtualMachine.graphics.listen=::", {"graphics": {"listen": "0::0"}}, True),
        ("VirtualMachine.graphics.listen=0.0.0.0", {"graphics": {"type": "vnc"}}, False),
        ("VirtualMachine.firmware=bios", {}, True),  # by default
        ("VirtualMachine.firmware", {}, False),  # which isn't said
        ("VirtualMachine.autostart=true", {"autostart": True}, True),
        ("VirtualMachine.memory=2048", {"memory": 2048}, True),
    ],
)
def test_a_rule_fits_what_it_names_and_nothing_else(text: str, spec: dict[str, Any], fits: bool) -> None:
    assert bool(list(forbidden_in([rule(text)], MACHINE, spec))) is fits
    assert not list(forbidden_in([rule(text)], "Network", spec))


def test_what_is_told_of_a_rule_with_exceptions_names_what_may_be_said() -> None:
    rules = [rule("VirtualMachine.graphics.listen!=127.0.0.1,::1"), rule("VirtualMachine.hostDevices")]
    said, _, _ = told(rules).partition(" may not be said on this host")
    assert said == "VirtualMachine.graphics.listen other than 127.0.0.1,::1 and VirtualMachine.hostDevices"


def test_what_a_machine_implies_is_no_document_of_its_kind_but_says_as_much() -> None:
    fetched = {"source": {"url": "https://images.example.org/x.qcow2"}}
    assert not rule("StorageVolume").fits(fetched, implied=True)
    assert rule("StorageVolume").fits(fetched)
    assert rule("StorageVolume.source.url").fits(fetched, implied=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no rule"),
        ("VirtualMachine.", "is no rule"),
        ("VirtualMachine.graphics.listen!", "is no rule"),
        ("VirtualMachine.memory=", "is no rule"),
        ("VirtualMachin", "write VirtualMachine, if"),
        ("VirtualMachine.hostdevices", "write hostDevices, if"),
        ("VirtualMachine.graphics.lisen=1", "write listen, if"),
        ("VirtualMachine.memory.size", "there are none below it."),
        ("VirtualMachine.access.users", "can't be forbidden"),
        ("Template.memory", "makes nothing on the host"),
    ],
)
def test_what_is_no_rule_is_told_with_what_it_may_have_been(text: str, said: str) -> None:
    with pytest.raises(NoRuleError, match=said.replace("?", r"\?")):
        rule(text)
    with pytest.raises(SettingsError, match=r"^forbid '"):
        Settings(forbid=(text,))


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_is_refused_in_a_sentence(text: str) -> None:
    try:
        made: Forbidden | None = rule(text)
    except NoRuleError as error:
        made = None
        assert str(error).endswith(".")
    assert made is None or str(made) == text.strip()
