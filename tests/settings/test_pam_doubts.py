"""What most likely isn't meant about PAM is told at the start, and what is meant isn't."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.identity.role import Role
from reconciler.settings.pam_doubts import pam_doubts

ROLES = {Role.ADMIN: ("root", "sudo", "wheel"), Role.VIEWER: ("root",), Role.USER: ("*",)}


def told(service: str = "login", helper: Path | None = None, **more: tuple[str, ...]) -> str:
    roles = ROLES | {Role[role.upper()]: groups for role, groups in more.items()}
    return "\n".join(pam_doubts(service, helper, roles))


def test_usual_settings_raise_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert told() == ""


def test_a_group_that_isnt_there_is_named_with_its_role() -> None:
    assert "operator-group no-such-group isn't a group of this host" in told(operator=("no-such-group",))


def test_a_pam_service_that_isnt_there_is_told_unless_the_helper_asks() -> None:
    assert "pam-service no-such-service isn't a file of /etc/pam.d" in told("no-such-service")
    assert told("no-such-service", Path("/run/onggi-pam/socket")) == ""


def test_an_agent_that_isnt_root_is_led_to_the_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "set pam-helper" in told()
    assert told(helper=Path("/run/onggi-pam/socket")) == ""
