"""Network filters on qemu:///system: made in order, healed, exported, adopted and removed; libvirt's own are let be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import libvirt
import pytest

from reconciler.exporting.export import export
from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from specs.networkfilter.built_in import BUILT_IN
from specs.reference import NETWORK_FILTER, Ref
from tests.lab.approving import approve
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

pytestmark = pytest.mark.qemu

WEB = {"action": "accept", "direction": "in", "protocol": "tcp", "match": {"dstportstart": 80}}


def document(name: str, *rules: dict[str, Any], **annotations: str) -> str:
    metadata = {"name": name, **({"annotations": annotations} if annotations else {})}
    return json.dumps({"apiVersion": "onggi/v1", "kind": "NetworkFilter", "metadata": metadata,
                       "spec": {"rules": list(rules)}})  # fmt: skip


def test_the_life_of_two_filters(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    web, base, rest = (host_objects.name(each) for each in ("a-web", "z-base", "rest"))
    files = {"web.yaml": document(web, {"filter": base}, WEB), "base.yaml": document(base, {"filter": "clean-traffic"})}
    files["rest.yaml"] = document(rest)
    repository.commit(files)
    with Line.open(
        Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "s"), exclusive=True
    ) as line:
        assert [step.ref.name for step in line.plan().steps] == [rest, base, web], "what is included comes first"
        assert line.converge().succeeded
        assert line.plan().empty
        observed = line.observe()
        names = {ref.name for ref in observed.objects if ref.kind == NETWORK_FILTER}
        assert {web, base} <= names
        assert not names & BUILT_IN, "libvirt's own are nobody's"

        made = qemu_connection.nwfilterLookupByName(web)
        as_declared = made.XMLDesc()
        qemu_connection.nwfilterDefineXML(as_declared.replace("dstportstart='80'", "dstportstart='81'"))
        assert line.plan().steps[0].drift
        assert line.converge().succeeded
        assert made.XMLDesc() == as_declared, "what somebody changed by hand is as it was declared"

        made.undefine()
        assert line.converge().succeeded
        assert qemu_connection.nwfilterLookupByName(web).XMLDesc() == as_declared

        exported = export(line.observe(), "somebody", wanted=[Ref(NETWORK_FILTER, web)], foreign=True)
        assert [(each.path, each.left) for each in exported.documents] == [(f"filters/{web}.yaml", ())]

        repository.remove("web.yaml", "base.yaml")
        approve(line)
        assert [step.ref.name for step in line.plan().steps] == [web, base], "who uses one leaves before it"
        assert line.converge().succeeded
        assert host_objects.left() == [f"filter {rest}"]


def test_one_that_others_made_is_left_alone_until_it_is_adopted(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    tmp_path: Path,
) -> None:
    name = host_objects.name("theirs")
    theirs = qemu_connection.nwfilterDefineXML(f"<filter name='{name}'><rule action='drop' direction='in'/></filter>")
    before = theirs.XMLDesc()
    repository.commit({"theirs.yaml": document(name, WEB)})
    with Line.open(
        Settings(repository=str(repository.path), connect=qemu_system, state=tmp_path / "s"), exclusive=True
    ) as line:
        assert [each.reason for each in line.plan().blocked] == ["OwnedByOther"]
        line.converge()
        assert theirs.XMLDesc() == before
        repository.commit({"theirs.yaml": document(name, WEB, **{"onggi/adopt": "true"})})
        assert line.converge().succeeded
        assert "dstportstart='80'" in theirs.XMLDesc()
        assert theirs.UUIDString() in before
