"""Uploads take no more than there is: room is promised once, and who leaves while it is filled leaves nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import closing

import pytest

from reconciler.errors import Cancelled
from specs.reference import Ref
from tests.api.test_forms import begun, connected
from tests.api.test_uploads import MIB, Lab, lab
from tests.lab.waiting import until

__all__ = ["lab"]

pytestmark = pytest.mark.qemu


def begin(lab: Lab, name: str, capacity: int) -> tuple[int, str]:
    answer = lab.api.client.post(lab.volumes, json={"name": name, "capacity": capacity, "upload": True})
    return answer.status_code, answer.json().get("reason", "")


def test_a_pools_room_is_promised_to_one_upload_at_a_time(lab: Lab) -> None:
    available = int(lab.api.client.get(f"/storagepools/{lab.pool}").json()["available"])
    code, reason = begin(lab, "huge", available + (1 << 40))
    assert (code, "has room for" in reason) == (400, True), reason
    assert lab.files() == []
    most = available * 2 // 3
    assert begin(lab, "first", most)[0] == 202
    code, reason = begin(lab, "second", most)
    assert (code, "with what others are sending" in reason) == (400, True), reason
    assert lab.files() == ["first"]
    assert lab.api.client.delete(lab.url("first")).status_code == 204
    assert begin(lab, "second", most)[0] == 202


def test_a_name_that_is_taken_is_told_before_the_file_is_read(lab: Lab) -> None:
    (lab.folder / "there").write_bytes(b"x")
    lab.begin("data", MIB)
    for name in ("data", ".."):
        with closing(connected(lab.api.url, "POST", lab.volumes, 64 * MIB, begun(name) + bytes(MIB))) as connection:
            connection.sendall(bytes(MIB))
            assert b" 400 " in connection.makefile("rb").readline()


def test_a_client_who_leaves_while_its_file_is_stored_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = threading.Event()

    def slowly(_ref: Ref, _at: int, _length: int, chunks: Iterable[bytes], stop: threading.Event, **_: object) -> None:
        assert list(chunks)
        stored.set()
        assert stop.wait(60), "nobody tells that the client has left"
        raise Cancelled("stopped")

    monkeypatch.setattr(lab.api.agent.line.hypervisor, "upload", slowly)
    content = begun("data") + bytes(MIB) + b"\r\n--b--\r\n"
    with closing(connected(lab.api.url, "POST", lab.volumes, len(content), content)):
        assert stored.wait(60)
        assert lab.files() == ["data"]
    until(lambda: lab.files() == [], 60, "what was stored of it is removed")
    assert lab.api.serving.uploads.expects(Ref.volume(lab.pool, "data")) is False
