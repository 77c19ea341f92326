"""Who isn't known can't fill the audit log, whatever the request is answered with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from api.http import audited
from reconciler.serving.audit_log import AuditLog
from tests.api.live import LiveApi, live_api
from tests.api.test_audited import lines
from tests.lab.people import ADMIN, logins_of_each_role
from tests.lab.repositories import Repository


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, path: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    with live_api(repository, tmp_path / "state", logins=logins_of_each_role(), audit_log=AuditLog(path)) as running:
        yield running


SENT = audited._REFUSED_BY_PEER + 5
ADDRESSES = (
    ("POST", f"/{'x' * 4000}"),  # nothing is there
    ("POST", "/logout"),
    ("POST", "/plugins/kimchi/logout"),
    ("DELETE", "/healthz"),
    ("POST", "/hooks/github"),
    ("POST", "/login"),
    ("PUT", "/vms/web"),
)


def test_what_somebody_unknown_sends_is_written_down_so_often_and_then_counted(api: LiveApi, path: Path) -> None:
    for method, address in ADDRESSES:
        for _ in range(SENT):
            assert api.client.request(method, address, json={}).status_code < 500
    api.app.audit.tell_left_out()
    assert len(lines(path)) == audited._REFUSED_BY_PEER + 1
    assert lines(path)[-1] == {"event": "refused", "left_out": len(ADDRESSES) * SENT - len(lines(path)) + 1, "peers": 1}


def test_what_somebody_known_does_is_always_written_down(api: LiveApi, path: Path) -> None:
    for _ in range(SENT):
        assert api.client.post("/vms/absent/start", auth=ADMIN).status_code == 404
    assert len(lines(path)) == SENT
