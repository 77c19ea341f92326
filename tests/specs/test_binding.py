"""One bind reads, writes and compares; the mark tells whose an object is."""

from __future__ import annotations

import pytest
from lxml import etree

from specs.binding import Field, Items, element, parse, patched, read, serialise, set_text_at, text_at
from specs.codecs import INTEGER, YES_NO, bytes_of, size_text
from specs.comparing import differences
from specs.effect import Effect
from specs.mark import Mark, read_mark, write_mark

XML = "<network><name>lan</name><mtu size='1400'/><host name='a' ip='1'/><host name='b' ip='2'/><own x='1'/></network>"
HOSTS = Items(
    "hosts",
    elements=lambda root: root.iterfind("host"),
    parent="",
    fields=(Field("name", "@name"), Field("ip", "@ip", INTEGER, Effect.NEXT_BOOT)),
    identity=lambda item: item["name"],
    label=lambda item: str(item["name"]),
    build=lambda item: element("host", name=item["name"], ip=str(item["ip"])),
)
BINDS = (
    Field("name", "name"),
    Field("deep/mtu", "mtu/@size", INTEGER, effect_in=lambda _old, new, spec: _room(new, spec)),
    Field("ipv6", "@ipv6", YES_NO, missing=False),
    HOSTS,
)


def _room(new: int, spec: object) -> Effect:
    return Effect.LIVE if isinstance(spec, dict) and spec["name"] == "lan" and new < 1500 else Effect.FORBIDDEN


def test_texts_and_attributes_are_read_and_written_at_plain_paths() -> None:
    root = parse(XML)
    assert (text_at(root, "name"), text_at(root, "mtu/@size"), text_at(root, "@no"), text_at(root, "no")) == (
        "lan", "1400", None, None,
    )  # fmt: skip
    set_text_at(root, "a/b", "x")
    set_text_at(root, "a/b/@c", "y")
    set_text_at(root, "@ipv6", "yes")
    assert (text_at(root, "a/b"), text_at(root, "a/b/@c"), text_at(root, "@ipv6")) == ("x", "y", "yes")
    for path in ("a/b/@c", "name", "@ipv6", "nowhere/at/@all"):
        set_text_at(root, path, None)
        assert text_at(root, path) is None


def test_what_is_read_has_the_shape_of_a_spec() -> None:
    assert read(BINDS, parse(XML)) == {
        "name": "lan",
        "deep": {"mtu": 1400},
        "ipv6": False,
        "hosts": [{"name": "a", "ip": 1}, {"name": "b", "ip": 2}],
    }


def test_only_what_is_declared_is_compared_and_only_what_differs_is_written() -> None:
    observed = read(BINDS, parse(XML))
    assert differences(BINDS, {}, observed) == ([], [])
    assert serialise(patched(BINDS, parse(XML), {"name": "lan"})) == serialise(parse(XML))
    declared = {"deep": {"mtu": 9000}, "hosts": [{"name": "b", "ip": 3}, {"name": "c", "ip": 4}]}
    changes, extras = differences(BINDS, declared, observed, frozenset({"/hosts/x"}))
    assert [(change.pointer, change.effect) for change in changes] == [
        ("/deep/mtu", Effect.FORBIDDEN),
        ("/hosts/b/ip", Effect.NEXT_BOOT),
        ("/hosts/c", Effect.LIVE),
    ]
    assert extras == ["/hosts/a"]
    after = patched(BINDS, parse(XML), declared)
    assert differences(BINDS, declared, read(BINDS, after))[0] == []
    assert [host.get("name") for host in after.findall("host")] == ["a", "b", "c"]
    assert after.find("own") is not None


def test_an_item_that_was_declared_once_goes_and_others_stay() -> None:
    managed = frozenset({"/hosts/a"})
    changes, extras = differences(BINDS, {}, read(BINDS, parse(XML)), managed)
    assert [(change.pointer, change.new) for change in changes] == [("/hosts/a", None)] and extras == ["/hosts/b"]
    assert [host.get("name") for host in patched(BINDS, parse(XML), {}, managed).findall("host")] == ["b"]


def test_xml_from_outside_reads_no_files() -> None:
    evil = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><network><name>&e;</name></network>'
    with pytest.raises(etree.XMLSyntaxError, match="DTD"):
        parse(evil)


def test_the_mark_replaces_an_older_one_and_leaves_other_tools_alone() -> None:
    root = parse("<domain><metadata><o:x xmlns:o='urn:o'/></metadata></domain>")
    assert read_mark(root) is None
    write_mark(root, Mark("repo", "old", frozenset({"/disks/a"})))
    mark = Mark("repo", "web", frozenset({"/disks/default/web <1>.img", "/cdroms/seed"}))
    write_mark(root, mark)
    assert read_mark(parse(serialise(root))) == mark
    metadata = root.find("metadata")
    assert metadata is not None and [etree.QName(each).localname for each in metadata] == ["x", "origin"]


def test_sizes_have_units() -> None:
    assert [bytes_of(size) for size in ("10GiB", "1.5 G", 512, "x", "1 parsec")] == [10 << 30, 3 << 29, 512, None, None]
    assert bytes_of("4", "KiB") == 4096
    assert [size_text(count) for count in (10 << 30, 1536 << 20, 1000, 0)] == ["10GiB", "1536MiB", "1000B", "0B"]
