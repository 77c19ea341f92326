"""One rule for all URLs: what any reader of a URL could stumble over is refused in the document, at its line."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from specs.document import parse
from specs.url import IMAGES, url_problem
from specs.validate import validate
from specs.virtualmachine.storage.sources import read_source, url_source, write_source

GOOD = (
    "http://mirror/x.iso",
    "https://example.org:8443/a/b.iso?version=12&arch=amd64",
    "ftp://10.0.0.1/pub/x.iso",
    "ftps://[2001:db8::1]:990/x.iso",
    "http://example.org",
    "http://0x7f.example.org/1.2.3",
    "http://example.org/with%20blank/%C3%A9.iso",
    "http://müller.example/ü.iso",
    "http://my_mirror.example./x.iso#part",
)
BAD = (
    "http://mirror:99999/x.iso",
    "http://mirror:0/x.iso",
    "http://mirror:-1/x.iso",
    "http://mirror:٣/x.iso",
    "http://mirror:port/x.iso",
    "http://[bad/x.iso",
    "http://[::1/x.iso",
    "http://]::1[/x.iso",
    "http://[v1.x]/x.iso",
    "http://[::1]x/x.iso",
    "http://[fe80::1%25eth0]/x.iso",
    "http://a[::1]/x.iso",
    "http:///x.iso",
    "http://:80/x.iso",
    "http://a..b/x.iso",
    "http://-a/x.iso",
    "http://a%00b/x.iso",
    "http://ａ／ｂ/x.iso",
    "http://user@mirror/x.iso",
    "http://user:word@mirror/x.iso",
    "http://0x7f000001/x.iso",
    "http://2130706433/x.iso",
    "http://127.1/x.iso",
    "http://0177.0.0.1/x.iso",
    "http://127.0.0.0x1/x.iso",
    "http://127.0.0.1./x.iso",
    "http://1.2.3.4.5/x.iso",
    "http://256.0.0.1/x.iso",
    "http://mirror.1/x.iso",
    "http://１２７.0.0.1/x.iso",
    "http://mirror/a b.iso",
    "http://mirror/a\tb.iso",
    "http://mirror/a\nb.iso",
    "http://mirror/%00.iso",
    "http://mirror/%0a.iso",
    "http://mirror/%c2%85.iso",
    "http://mirror/%FF.iso",
    "http://mirror/\x01.iso",
    "http://mirror/a\u202eb.iso",
    "http://mirror/\ufffe.iso",
    " http://mirror/x.iso",
    "file:///etc/passwd",
    "http://" + "a" * 300 + "/x.iso",
    "http://mirror/" + "x" * 5000,
)
# Every place of a document that takes a URL: what is around it, and the pointer of the field.
FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "/spec/cdroms/0/url": ("VirtualMachine", {"cdroms": [{"url": None}]}),
    "/spec/source/url": ("StorageVolume", {"pool": "default", "source": {"url": None}}),
    "/spec/cdrom": ("Template", {"cdrom": None}),
    "/spec/path": ("Distribution", {"path": None, "osDistro": "debian", "osVersion": "12"}),
}


def problems(pointer: str, url: str) -> list[tuple[int, str, str]]:
    """(line, pointer, message) of everything that is wrong with a document that has `url` there."""
    kind, spec = FIELDS[pointer]
    text = yaml.safe_dump(
        {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": "one"}, "spec": spec}, sort_keys=False
    ).replace("null", yaml.dump(url, default_style='"', width=100_000).strip())
    parsed = parse("one.yaml", text.encode())
    found = [*parsed.problems, *(each for document in parsed.documents for each in validate(document))]
    return [(each.line, each.pointer, each.message) for each in found]


@pytest.mark.parametrize("pointer", FIELDS)
@pytest.mark.parametrize("url", BAD, ids=ascii)
def test_a_bad_url_is_refused_in_every_field_at_its_line(pointer: str, url: str) -> None:
    found = problems(pointer, url)
    assert {where for _, where, _ in found} == {pointer}
    assert all(line > 1 for line, _, _ in found)
    assert not any(word in message for _, _, message in found for word in ("user:word", "passwd"))


@pytest.mark.parametrize("pointer", FIELDS)
@pytest.mark.parametrize("url", GOOD)
def test_a_good_url_is_taken_in_every_field(pointer: str, url: str) -> None:
    if pointer == "/spec/path" and url.startswith("ftps"):
        return  # no image of osinfo's database is there
    assert problems(pointer, url) == []


@pytest.mark.parametrize("text", ["//mirror/x.iso", "mirror/x.iso", "javascript:alert(1)", "", "http:", "://"])
def test_what_is_no_url_at_all_is_none(text: str) -> None:
    assert url_problem(text) is not None


def test_the_schemes_of_images_are_those_of_the_database_of_operating_systems() -> None:
    assert url_problem("tftp://boot/x.iso", IMAGES) is None
    assert "http://" in (url_problem("ftps://boot/x.iso", IMAGES) or "")


@given(st.one_of(st.text(), st.text("[]:@/%?#.a0\u202e\x00é-", max_size=12).map("http://".__add__)))
def test_whatever_the_rule_takes_every_reader_can_read(url: str) -> None:
    if url_problem(url) is not None:
        return
    assert urlsplit(url).hostname
    disk = etree.Element("disk", type="file", device="cdrom")
    declared = url_source(url)
    write_source(disk, declared)
    assert read_source(disk) == declared
