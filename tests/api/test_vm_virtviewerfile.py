"""/vms/{name}/virtviewerfile on the test driver: one file that a viewer opens."""

from __future__ import annotations

import configparser

import libvirt

from tests.api.live import LiveApi
from tests.api.parts import define


def viewer(api: LiveApi, name: str) -> dict[str, str]:
    answer = api.client.get(f"/vms/{name}/virtviewerfile")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-virt-viewer"), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(answer.text)
    return dict(parser["virt-viewer"])


def test_it_names_the_console_and_its_password(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices="<graphics type='vnc' port='5910' autoport='no' listen='127.0.0.1'/>", start=True)
    api.serving.operations.look_again(None)
    assert viewer(api, "byhand") == {"type": "vnc", "host": "127.0.0.1", "port": "5910", "title": "byhand"}
    api.client.put("/vms/byhand", json={"graphics": {"passwd": "s3cret"}})
    assert viewer(api, "byhand")["password"] == "s3cret"


def test_a_console_for_everybody_is_at_the_host_that_was_asked(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices="<graphics type='spice' port='5911' autoport='no' listen='0.0.0.0'/>", start=True)
    api.serving.operations.look_again(None)
    found = viewer(api, "byhand")
    assert (found["type"], found["host"], found["port"]) == ("spice", "127.0.0.1", "5911")


def test_it_has_a_shorter_name(api: LiveApi, hand: libvirt.virConnect) -> None:
    define(hand, devices="<graphics type='spice' port='5912' autoport='no' listen='127.0.0.1'/>", start=True)
    api.serving.operations.look_again(None)
    longer, shorter = (api.client.get(f"/vms/byhand/{name}") for name in ("virtviewerfile", "viewer"))
    assert shorter.status_code == 200 and shorter.content == longer.content


def test_without_a_console_there_is_none(api: LiveApi) -> None:
    answer = api.client.get("/vms/test/virtviewerfile")
    assert (answer.status_code, answer.json()["reason"].partition(":")[0]) == (400, "KCHVM0083E")
    assert api.client.get("/vms/nobody/virtviewerfile").status_code == 404
