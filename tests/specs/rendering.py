"""From a spec to XML and back, the way planning goes: for the tests of every kind's `xml.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

from specs.binding import parse, patched, read, serialise, write
from specs.comparing import differences
from specs.document import parse as parse_documents
from specs.effect import Change
from specs.host import Host
from specs.overlay.comparing import config_changes
from specs.registry import Kind
from specs.validate import validate

UID = "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"


def lowered(kind: Kind, spec: Mapping[str, Any], *, name: str, host: Host, uid: str = UID) -> dict[str, Any]:
    """The concrete spec, of a document that validation finds nothing wrong with."""
    document = {"apiVersion": "onggi/v1", "kind": kind.name, "metadata": {"name": name}, "spec": spec}
    parsed = parse_documents("spec.yaml", json.dumps(document).encode())
    problems = [*parsed.problems, *(problem for each in parsed.documents for problem in validate(each))]
    assert problems == [], f"{spec} isn't valid: {problems}"
    return kind.xml.lower(spec, name=name, uid=uid, host=host)


def new_xml(kind: Kind, concrete: Mapping[str, Any], *, name: str, host: Host, uid: str = UID) -> str:
    """What libvirt is given for a new object."""
    skeleton = kind.xml.skeleton(concrete, name=name, uid=uid, host=host)
    return serialise(write(kind.xml.BINDS, skeleton, concrete))


def drift(kind: Kind, concrete: Mapping[str, Any], xml: str) -> list[Change]:
    """What differs between a concrete spec and an object's XML."""
    changes, _ = differences(kind.xml.BINDS, concrete, read(kind.xml.BINDS, parse(xml)))
    return [*changes, *(config_changes(kind.name, concrete["xml"], frozenset(), xml) if "xml" in concrete else ())]


def patch(kind: Kind, concrete: Mapping[str, Any], xml: str) -> str:
    """An object's XML after a change."""
    return serialise(patched(kind.xml.BINDS, parse(xml), concrete))


def assert_at_rest(kind: Kind, concrete: Mapping[str, Any], xml: str) -> None:
    """Nothing differs, nothing is extra, and a patch leaves every byte as it is."""
    assert differences(kind.xml.BINDS, concrete, read(kind.xml.BINDS, parse(xml))) == ([], [])
    assert drift(kind, concrete, xml) == []
    assert etree.tostring(patched(kind.xml.BINDS, parse(xml), concrete)) == etree.tostring(parse(xml))


def golden(folder: Path) -> list[tuple[str, dict[str, Any], str]]:
    """(name, spec, XML) of each pair of a YAML and an XML file in a folder."""
    return [
        (
            path.stem,
            yaml.safe_load(path.read_text(encoding="utf-8")),
            path.with_suffix(".xml").read_text(encoding="utf-8"),
        )
        for path in sorted(folder.glob("*.yaml"))
    ]
