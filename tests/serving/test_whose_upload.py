"""An upload is continued and ended by who began it and by administrators; for everybody else there is none."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.errors import Refused
from reconciler.identity.role import Role
from reconciler.ledger.ledger import Ledger
from reconciler.serving.client import Client
from reconciler.serving.tasks import Tasks
from reconciler.serving.uploads import Uploads
from specs.reference import Ref

DISK = Ref.volume("lab", "disk.img")
OTTO = Client("otto", role=Role.OPERATOR)
OLGA = Client("olga", role=Role.OPERATOR)
ADA = Client("ada", role=Role.ADMIN)


class Lab:
    """Uploads to a host that takes everything; `written` is what it got."""

    def __init__(self, ledger: Ledger) -> None:
        self.written: list[bytes] = []
        world = SimpleNamespace(
            snapshot=SimpleNamespace(host=SimpleNamespace(can=lambda _feature: True), get=lambda _ref: None),
        )
        line = SimpleNamespace(
            hypervisor=SimpleNamespace(upload=self._upload),
            ledger=SimpleNamespace(change=lambda **_entries: None),
            lineage=SimpleNamespace(made_for_client=lambda _ref: None),
        )
        volumes = SimpleNamespace(
            changes=SimpleNamespace(world=world, check_allowed=lambda: None),
            operations=SimpleNamespace(perform=lambda _step, _client: None),
            adopt=lambda _ref, _client, _message: None,
        )
        self.tasks = Tasks(ledger.tasks)
        self.uploads = Uploads(line, volumes, self.tasks)  # type: ignore[arg-type]

    def begin(self, client: Client) -> Any:
        return self.uploads.begin(DISK, 4, "/storagepools/lab/storagevolumes/disk.img", client)

    def _upload(self, _ref: Ref, _at: int, _length: int, chunks: Any, stop: threading.Event, **_more: Any) -> None:
        assert not stop.is_set()
        self.written += chunks


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("reconciler.serving.uploads.volume_xml", lambda *_: "<volume/>")
    with Ledger.open(tmp_path) as ledger:
        lab = Lab(ledger)
        yield lab
        lab.uploads.close()


def test_nobody_else_sends_a_piece_in_between(lab: Lab) -> None:
    lab.begin(OTTO)
    lab.uploads.put(DISK, 2, [b"my"], OTTO)
    with pytest.raises(Refused, match=r"No upload of lab/disk\.img is under way") as refused:
        lab.uploads.put(DISK, 2, [b"x!"], OLGA)
    assert refused.value.reason == "NotUploading"
    assert lab.uploads.most(DISK, OLGA) is None and lab.uploads.most(DISK, OTTO) == 2
    lab.uploads.put(DISK, 2, [b"na"], ADA)
    assert lab.written == [b"my", b"na"]


def test_nobody_else_ends_it(lab: Lab) -> None:
    task = lab.begin(OTTO)
    assert not lab.uploads.abort(DISK, "I want the name", OLGA)
    assert lab.tasks.get(str(task.id), OTTO).status == "running"
    assert lab.uploads.abort(DISK, "it is mine", OTTO)
    assert lab.tasks.get(str(task.id), OTTO).message == "it is mine"


def test_whoever_left_takes_only_their_own_with_them(lab: Lab) -> None:
    first = lab.begin(OLGA)
    assert lab.uploads.abort(DISK, "never mind", OLGA)
    lab.begin(OTTO)
    lab.uploads.leave(DISK, first)
    lab.uploads.put(DISK, 4, [b"mine"], OTTO)
    assert lab.written == [b"mine"]


def test_only_its_owner_is_told_that_the_last_piece_had_come(lab: Lab) -> None:
    lab.begin(OTTO)
    lab.uploads.put(DISK, 4, [b"mine"], OTTO, 0)
    lab.uploads.put(DISK, 4, [b"mine"], OTTO, 0)
    assert lab.uploads.most(DISK, OLGA) is None
    with pytest.raises(Refused, match="No upload"):
        lab.uploads.put(DISK, 4, [b"mine"], OLGA, 0)


def test_an_administrators_upload_is_not_theirs_any_more_as_an_operator(lab: Lab) -> None:
    lab.begin(Client("otto", role=Role.ADMIN))
    assert lab.uploads.most(DISK, OTTO) is None
    assert lab.uploads.most(DISK, ADA) == 4
