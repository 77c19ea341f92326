"""/vms/{name}/screenshot: a thumbnail, answered directly and kept for a few seconds."""

from __future__ import annotations

import io
import threading

import libvirt
import pytest
from PIL import Image

from api.vms.screenshot.pictures import Pictures
from api.vms.screenshot.resource import run_of
from reconciler.observed.snapshot import Observed
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi
from tests.api.parts import define


def test_the_picture_of_a_running_machine(api: LiveApi) -> None:
    answer = api.client.get("/vms/test/screenshot")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.format == "PNG"
    assert max(picture.size) <= 256
    again = api.client.get("/vms/test/screenshot")
    assert again.headers["Last-Modified"] == answer.headers["Last-Modified"]
    assert again.content == answer.content


def test_a_machine_that_does_not_run_has_none(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand)
    api.serving.operations.look_again(None)
    for name, code in (("byhand", "KCHVM0004E"), ("nobody", "KCHVM0002E")):
        answer = api.client.get(f"/vms/{name}/screenshot")
        assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (404, code)
    assert api.client.delete("/vms/test/screenshot").status_code == 405


class Camera:
    """Counts its pictures."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self) -> bytes:
        self.taken += 1
        return b"%d" % self.taken


def test_a_picture_is_kept_until_it_is_old() -> None:
    now, camera = [0.0], Camera()
    pictures = Pictures(keep_s=5, now=lambda: now[0])
    assert [pictures.get("a", camera).png for _ in range(3)] == [b"1"] * 3
    now[0] = 5.0
    assert pictures.get("a", camera).png == b"2"


def test_only_so_many_pictures_are_kept() -> None:
    camera = Camera()
    pictures = Pictures(most=2, now=lambda: 0.0)
    for name in ("a", "b", "a", "c", "a", "b"):
        pictures.get(name, camera)
    assert camera.taken == 4


def test_who_asks_at_once_gets_one_picture() -> None:
    camera, pictures, begun = Camera(), Pictures(keep_s=3600), threading.Event()

    def slow() -> bytes:
        begun.wait(60)
        return camera()

    threads = [threading.Thread(target=pictures.get, args=("a", slow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join()
    assert camera.taken == 1


def test_a_picture_that_cannot_be_taken_is_tried_again() -> None:
    pictures = Pictures()

    def fails() -> bytes:
        raise OSError("no screen")

    with pytest.raises(OSError, match="no screen"):
        pictures.get("a", fails)
    assert pictures.get("a", Camera()).png == b"1"


def test_another_run_is_another_picture_also_under_the_same_name_and_uuid() -> None:
    def run(number: int) -> Observed:
        return Observed(Ref(VIRTUAL_MACHINE, "web"), "uuid", "<domain/>", live_xml=f"<domain id='{number}'/>")

    assert run_of(run(1)) == run_of(run(1)) != run_of(run(2))
