"""The pictures of machines and templates are there, and are nothing but pictures."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from api.images.drawn import DEFAULT, address_of, drawn
from tests.api.live import LiveApi


def test_every_system_that_is_drawn_has_its_own_picture() -> None:
    assert {"centos", "debian", "fedora", "gentoo", "opensuse", "ubuntu", "windows", DEFAULT} <= drawn().keys()
    assert len(set(drawn().values())) == len(drawn())
    assert address_of("Debian") == "images/icon-debian.png"
    assert address_of("unknown") == address_of("") == address_of("../x") == "images/icon-vm.png"


@pytest.mark.parametrize("system", sorted(drawn()))
def test_a_picture_is_small_and_does_nothing(system: str) -> None:
    content = drawn()[system]
    assert len(content) < 1024
    root = fromstring(content)  # our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {"svg", "g", "path", "rect", "circle"}
    assert not any(name.startswith("on") or "href" in name for each in root.iter() for name in each.attrib)


def test_the_icon_of_a_template_leads_to_one(api: LiveApi) -> None:
    for distro, name in (("debian", "debian"), ("gentoo", "gentoo"), ("plan9", "vm")):
        body = {"name": distro, "cdrom": "http://example.org/x.iso", "os_distro": distro, "os_version": "1"}
        made = api.client.post("/templates", json=body)
        assert made.status_code == 201, made.text
        answer = api.client.get(f"/{made.json()['icon']}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.content == drawn()[name]
        assert answer.headers["cache-control"] == "max-age=86400"
        tag = answer.headers["etag"]
        assert api.client.get(f"/images/icon-{name}.svg").headers["etag"] == tag
        assert api.client.get(f"/images/icon-{name}.svg", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "file", ["icon-x.png", "icon-vm.gif", "vm.svg", "icon-..%2F__init__.svg", "__init__.py", "icon-"]
)
def test_nothing_else_is_there(api: LiveApi, file: str) -> None:
    assert api.client.get(f"/images/{file}").status_code == 404
