"""What a volume's bytes are taken for: as its document says or implies, and never what a guest wrote into them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.observed.snapshot import Snapshot
from reconciler.planning.context import Context
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.planner import Planner
from specs.binding import parse
from specs.host import Host, VolumeSource
from specs.reference import Ref
from tests.planning.values import context, resource

POOL = "images"
URL = "https://images.example.org"


def at(name: str, spec: dict[str, Any], seen: str = "", facts: dict[str, str] | None = None) -> Context:
    """A pass in which one volume is declared; `seen` is the format that libvirt finds in its bytes."""
    ref = Ref.volume(POOL, name)
    declared = context([replace(resource(ref), spec={"pool": POOL, **spec})])
    known = {ref: VolumeSource(f"/srv/{name}", "file", seen)} if seen else {}
    host = Host(pool_paths={POOL: "/srv"}, volumes=known)
    owned = {ref: Owned(ref, "", facts=facts)} if facts is not None else {}
    return replace(declared, snapshot=Snapshot(1, host, {}), owned=owned)


def taken_for(name: str, *more: Any, **also: Any) -> str:
    return at(name, *more, **also).host.volumes[Ref.volume(POOL, name)].format


@pytest.mark.parametrize(
    ("name", "spec", "image_format"),
    [
        ("debian", {"source": {"url": f"{URL}/debian-12.qcow2"}}, "qcow2"),
        ("debian", {"source": {"url": f"{URL}/download"}}, "qcow2"),
        ("ubuntu.img", {"source": {"url": f"{URL}/noble-server-cloudimg-amd64.img"}}, "qcow2"),
        ("debian.iso", {"source": {"url": f"{URL}/download?id=7"}}, "raw"),
        ("installer", {"source": {"url": f"{URL}/debian.ISO?mirror=1#x"}}, "raw"),
        ("disk", {"source": {"url": f"{URL}/disk.raw"}}, "raw"),
        ("disk.qcow2", {"source": {"url": f"{URL}/disk.raw"}, "format": "qcow2"}, "qcow2"),
        ("empty.iso", {"capacity": "1GiB"}, "qcow2"),
    ],
)
def test_a_volume_without_a_format_gets_the_one_that_is_documented(
    name: str, spec: dict[str, Any], image_format: str
) -> None:
    made = at(name, spec)
    assert made.host.volumes[Ref.volume(POOL, name)].format == image_format
    (step,) = Planner().plan(made.desired, made.snapshot, {}, frozenset(), made.options).steps
    (operation,) = step.operations
    assert parse(operation.xml).find("target/format").get("type") == image_format  # type: ignore[union-attr]


def test_what_a_source_was_taken_for_stays_whatever_a_guest_writes() -> None:
    generic = {"source": {"url": f"{URL}/download"}}
    assert taken_for("debian", generic, seen="qcow2", facts={Fact.FORMAT: "qcow2"}) == "qcow2"
    assert taken_for("debian", generic, seen="qcow2", facts={}) == "raw", "made when such a source was raw"
    assert taken_for("debian", generic, seen="qcow2") == "raw", "nobody remembers it"
    named = {"source": {"url": f"{URL}/disk.raw"}}
    assert taken_for("disk", named, seen="qcow2", facts={}) == "raw"
    assert taken_for("base.qcow2", generic, seen="qcow2") == "qcow2"


def test_the_format_is_remembered_from_the_making_on() -> None:
    made = at("debian", {"source": {"url": f"{URL}/download"}})
    (step,) = Planner().plan(made.desired, made.snapshot, {}, frozenset(), made.options).steps
    assert step.owned is not None and step.owned.facts[Fact.FORMAT] == "qcow2"
