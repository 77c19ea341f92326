"""A console's password in a running machine: a viewer finds out what a commit has changed. Nobody else hears of it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.line.convergence import Convergence
from tests.lab.live_fields import shows_live
from tests.lab.vnc import accepts, asks_for_nothing
from tests.stories.live_guest import LiveGuest

FIRST, SECOND, THIRD = "p4ssfrst", "p4sssecd", "p4ssthrd"


@pytest.fixture
def guest(imageless_guest: LiveGuest) -> LiveGuest:
    """A machine that starts with stopped CPUs: QEMU's console works all the same, and no core burns."""
    del imageless_guest.spec["disks"]
    imageless_guest.spec |= {"memory": 32, "paused": True}
    return imageless_guest


def port(guest: LiveGuest) -> int:
    return int(guest.live().find("devices/graphics").get("port"))


def said(done: Convergence) -> str:
    """Everything that a plan and its outcomes can show."""
    shown = [done.planned.to_json(), done.remaining.to_json(), [str(outcome) for outcome in done.outcomes]]
    return json.dumps(shown, default=str)


@shows_live("graphics/passwordFrom", "graphics/passwordValidTo")
def test_a_password_and_its_time_change_in_a_running_machine(
    guest: LiveGuest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tmp_path / "vnc"
    secret.write_text(FIRST)
    graphics = {"type": "vnc", "passwordFrom": {"file": str(secret)}}
    guest.commit(graphics=graphics)
    texts = [said(guest.line.converge())]
    assert accepts(port(guest), FIRST) and not accepts(port(guest), SECOND)

    secret.write_text(SECOND)  # by itself it changes nothing: the next revision of the document puts it in
    assert guest.line.plan().empty
    texts.append(said(guest.apply(description="With another password")))
    assert accepts(port(guest), SECOND) and not accepts(port(guest), FIRST)
    for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
        assert f"passwd='{SECOND}'" in guest.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE | flags), "in both at once"

    texts.append(said(guest.apply(graphics={**graphics, "passwordValidTo": "2020-01-01T00:00:00Z"})))
    assert not accepts(port(guest), SECOND), "its time is over"
    texts.append(said(guest.apply(graphics={**graphics, "passwordValidTo": "2090-01-01T00:00:00Z"})))
    assert accepts(port(guest), SECOND)
    assert "passwdValidTo='2090-01-01T00:00:00'" in guest.domain.XMLDesc()
    secret.write_text(THIRD)
    texts.append(said(guest.apply(graphics={**graphics, "passwordValidTo": "never"})))
    assert accepts(port(guest), THIRD)
    for root in (guest.live(), guest.config()):
        assert root.find("devices/graphics").get("passwdValidTo") is None

    stored = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    for word in (FIRST, SECOND, THIRD):
        assert word not in "".join(texts) + caplog.text
        assert word.encode() not in stored


def test_a_password_that_somebody_changed_the_time_of_is_healed(guest: LiveGuest, tmp_path: Path) -> None:
    secret = tmp_path / "vnc"
    secret.write_text(FIRST)
    guest.begin(graphics={"type": "vnc", "passwordFrom": {"file": str(secret)}, "passwordValidTo": "never"})
    console = guest.live().find("devices/graphics")
    console.set("passwd", SECOND)
    console.set("passwdValidTo", "2020-01-01T00:00:00")
    guest.domain.updateDeviceFlags(etree.tostring(console, encoding="unicode"), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert not accepts(port(guest), FIRST)
    done = guest.line.converge()
    assert [change.pointer for step in done.planned.steps for change in step.changes] == ["/graphics/passwordValidTo"]
    assert accepts(port(guest), FIRST)


def test_the_first_password_of_a_console_waits_for_the_boot(guest: LiveGuest, tmp_path: Path) -> None:
    secret = tmp_path / "vnc"
    secret.write_text(FIRST)
    guest.begin()
    assert asks_for_nothing(port(guest))
    done = guest.apply(graphics={"passwordFrom": {"file": str(secret)}}, title="changed at once")
    (waiting,) = done.remaining.waiting
    assert [(change.pointer, change.old, change.new) for change in waiting.changes] == [
        ("/graphics/passwordFrom", None, "(set)")
    ]
    assert guest.live().findtext("title") == "changed at once"
    guest.domain.destroy()
    assert guest.line.converge().succeeded  # Always starts it again
    assert accepts(port(guest), FIRST)
    assert guest.line.plan().waiting == ()
