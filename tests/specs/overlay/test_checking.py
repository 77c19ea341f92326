"""What is wrong with the XML in a document is told with its line, and before any host is asked."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from specs.declared import Declared
from specs.document import parse
from specs.registry import Kind, kinds
from specs.validate import validate

ALL_IS_FIELDS = {"Secret", "MediatedDevice"}  # a definition of such a one has nothing else
WITH_XML = [kind for kind in kinds().values() if kind.has_xml and kind.name not in ALL_IS_FIELDS]
_FIRST_LINE = 8  # of the block, below


def told(xml: str, kind: str = "VirtualMachine", fields: str = "") -> list[tuple[int, str]]:
    """(line of the XML, sentence) of each mistake in a document with this block of XML."""
    document = (
        f"apiVersion: onggi/v1\nkind: {kind}\nmetadata:\n  name: web\nspec:\n  {fields}\n"
        f"  xml: |\n{textwrap.indent(xml, '    ')}\n"
    )
    parsed = parse("web.yaml", document.encode())
    assert parsed.problems == ()
    return [(problem.line - _FIRST_LINE + 1, problem.message) for problem in validate(parsed.documents[0])]


@pytest.mark.parametrize("kind", WITH_XML, ids=lambda kind: kind.name)
def test_every_kind_with_a_definition_takes_xml(kind: Kind) -> None:
    fields: Mapping[str, Declared] = kind.declarations.SPEC.fields
    assert "xml" in fields
    assert fields["xml"].effect


@pytest.mark.parametrize(
    ("xml", "line", "why"),
    [
        ("<domain>\n  <cpu>\n</domain>", 3, "isn't XML"),
        ("<network/>", 1, "is a `<domain>`"),
        ("just text", 1, "isn't XML"),
        ("<domain>\n  <name>db</name>\n</domain>", 2, "metadata.name"),
        ("<domain>\n  <uuid>1</uuid>\n</domain>", 2, "metadata.uid"),
        ("<domain id='3'/>", 1, "number of a run"),
        ("<domain>\n  <metadata>\n    <o:origin xmlns:o='https://onggi.dev/xmlns/origin/1'/></metadata></domain>", 3,
         "its own to write"),
        ("<domain>\n<devices>\n<graphics type='vnc'\n  passwd='x'/></devices></domain>", 4, "passwordFrom"),
        ("<domain>\n<x:y xmlns:x='urn:x'/></domain>", 2, "keeps nothing"),
        ("<domain>\n<?php exit ?></domain>", 2, "processing instruction"),
        ("<?xml version='1.0' encoding='latin-1'?><domain/>", 1, "declaration"),
        ("<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\n<domain>&a;</domain>", 1, "DTD"),
        ("<domain>&a;</domain>", 1, "isn't XML"),
        ("<domain xml:base='/etc'/>", 1, "knows no attribute"),
        ("<domain>" + "<a>" * 50 + "</a>" * 50 + "</domain>", 1, "in each other"),
        ("<domain>" + "<a>" * 3000 + "</a>" * 3000 + "</domain>", 1, "isn't XML"),
        ("<domain>" + "<a/>" * 5000 + "</domain>", 1, "elements"),
    ],
)  # fmt: skip
def test_a_fragment_that_cant_be_one_is_refused_at_its_line(xml: str, line: int, why: str) -> None:
    [(at, sentence)] = told(xml, fields="memory: 1024")
    assert at == line
    assert why in sentence


@pytest.mark.parametrize(
    "devices",
    [
        "".join(f"<input type='a{number}'/>" for number in range(1900)),
        "<input/>" * 1900,
        "".join(f"<disk><target dev='vd{number}'/></disk>" for number in range(900)),
    ],
    ids=["all different", "all the same", "all with names"],
)
def test_as_much_as_a_fragment_may_say_is_compared_without_each_with_each(devices: str) -> None:
    """Which took a minute."""
    assert told(f"<domain><devices>{devices}</devices></domain>", fields="memory: 1024") == []


def test_a_fragment_has_its_bounds() -> None:
    [(_, sentence)] = told(f"<domain><description>{'a' * (1 << 16)}</description></domain>", fields="memory: 1024")
    assert "65536" in sentence


@pytest.mark.parametrize(
    ("kind", "fields", "xml", "line", "what"),
    [
        ("VirtualMachine", "cpus: 2", "<domain>\n<vcpu>3</vcpu></domain>", 2, "vcpu/text()"),
        ("VirtualMachine", "graphics: {listen: 127.0.0.1}",
         "<domain>\n<devices>\n<graphics type='vnc' listen='0.0.0.0'/></devices></domain>", 3, "graphics[vnc]/@listen"),
        ("VirtualMachine", "interfaces: [{network: a, mac: '52:54:00:00:00:01', model: virtio}]",
         "<domain><devices><interface><mac address='52:54:00:00:00:01'/>\n<model type='e1000'/></interface></devices>"
         "</domain>", 2, "model/@type"),
        ("Network", "mode: nat", "<network>\n\n<forward mode='route'/></network>", 3, "forward/@mode"),
        ("StoragePool", "{type: dir, path: /srv/a}", "<pool type='netfs'/>", 1, "@type"),
    ],
)  # fmt: skip
def test_a_fragment_that_says_another_thing_than_a_field_is_refused_at_its_line(
    kind: str, fields: str, xml: str, line: int, what: str
) -> None:
    if fields.startswith("{"):
        fields = fields.strip("{}").replace(", ", "\n  ")
    problems = told(xml, kind, fields)
    shift = fields.count("\n")
    assert [at - shift for at, _ in problems] == [line]
    assert what in problems[0][1]
    assert "remove one of the two" in problems[0][1]


@pytest.mark.parametrize(
    ("fields", "xml"),
    [
        ("cpus: 2", "<domain><vcpu>2</vcpu></domain>"),
        ("machine: q35", "<domain><os><type machine='pc-q35-7.2'/></os></domain>"),
        ("disks: [{volume: default/a}]",
         "<domain><devices><disk><target dev='vda'/><driver cache='none'/></disk></devices></domain>"),
        ("memory: 2GiB", "<domain><memory unit='GiB'>4</memory></domain>"),
        ("title: a", "<domain><metadata><x:y xmlns:x='urn:x'>z</x:y></metadata></domain>"),
    ],
)  # fmt: skip
def test_a_fragment_may_say_the_same_as_a_field_and_more(fields: str, xml: str) -> None:
    assert told(xml, fields=fields) == []


def test_the_document_as_a_whole_still_tells_its_other_mistakes() -> None:
    problems: list[Any] = told("<domain><vcpu>3</vcpu></domain>", fields="cpus: none")
    assert len(problems) == 1
