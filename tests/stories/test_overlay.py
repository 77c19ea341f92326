"""A document's XML from the commit to the host: made, told as drift, put back, taken out again, and never unasked."""

from __future__ import annotations

import textwrap
from pathlib import Path

import libvirt
import pytest

from reconciler.line.line import Line
from reconciler.settings.settings import Settings
from reconciler.status.drift import drift
from specs.reference import Ref
from specs.safe_xml import parse
from tests.lab.repositories import Repository
from tests.stories.test_drift import SHARED, WEB, hand, redefine

__all__ = ["hand"]
NET = Ref("Network", "hc-lab")
WATCHDOG = "<devices><watchdog model='i6300esb' action='reset'/></devices>"
ON_CRASH = f"<domain><on_crash>preserve</on_crash>{WATCHDOG}</domain>"


def machine(xml: str = "", **fields: object) -> str:
    return document("VirtualMachine", WEB.name, xml, memory=64, runStrategy="Manual", **fields)


def network(xml: str = "", **fields: object) -> str:
    return document("Network", NET.name, xml, mode="isolated", subnet="192.168.213.0/24", **fields)


def document(kind: str, name: str, xml: str, **fields: object) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    block = f"  xml: |\n{textwrap.indent(xml, '    ')}\n" if xml else ""
    return f"apiVersion: onggi/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{lines}{block}"


def definition(hand: libvirt.virConnect) -> str:
    return str(hand.lookupByName(WEB.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


@pytest.fixture
def settings(repository: Repository, tmp_path: Path) -> Settings:
    return Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state")


def test_what_a_document_says_in_xml_is_kept_so_and_leaves_with_it(
    hand: libvirt.virConnect, repository: Repository, settings: Settings
) -> None:
    repository.commit({"web.yaml": machine(ON_CRASH)})
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        assert "<on_crash>preserve<" in definition(hand)
        assert "<watchdog model='i6300esb' action='reset'" in definition(hand)
        assert line.look().plan.steps == ()

        redefine(hand, "<on_crash>preserve<", "<on_crash>destroy<")
        [found] = drift(line.look())
        assert [(each.field, each.declared, each.found) for each in found.fields] == [
            ("/xml/on_crash/text()", "preserve", "destroy")
        ]
        assert line.converge().succeeded
        assert "<on_crash>preserve<" in definition(hand)

        repository.commit({"web.yaml": machine("<domain><on_crash>preserve</on_crash></domain>")})
        assert line.converge().succeeded
        assert "<watchdog" not in definition(hand)
        assert "<on_crash>preserve<" in definition(hand)

        repository.commit({"web.yaml": machine()})
        assert line.converge().succeeded
        assert "<on_crash>preserve<" not in definition(hand)
        assert line.look().plan.steps == ()


def test_ignored_statements_are_others_to_change(
    hand: libvirt.virConnect, repository: Repository, settings: Settings
) -> None:
    ignored = "[/xml/on_crash/text()]"
    repository.commit({"web.yaml": machine(ON_CRASH, ignoreFields=ignored)})
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        redefine(hand, "<on_crash>preserve<", "<on_crash>restart<")
        assert line.look().plan.steps == ()
        redefine(hand, "action='reset'", "action='pause'")
        [step] = line.look().plan.steps
        assert [change.pointer for change in step.changes] == ["/xml/devices/watchdog[i6300esb]/@action"]


def test_a_networks_xml_is_remembered_by_the_ledger(
    hand: libvirt.virConnect, repository: Repository, settings: Settings
) -> None:
    text = "<network><dns><txt name='owner' value='lab'/></dns></network>"
    repository.commit({"lab.yaml": network(text, active="false")})
    with Line.open(settings, exclusive=True) as line:
        assert line.converge().succeeded
        root = parse(hand.networkLookupByName(NET.name).XMLDesc())
        assert root.find("dns/txt[@name='owner']") is not None
        repository.commit({"lab.yaml": network(active="false")})
        assert line.converge().succeeded
        root = parse(hand.networkLookupByName(NET.name).XMLDesc())
        assert root.find("dns/txt") is None
        assert line.look().plan.steps == ()


def test_what_reaches_beyond_the_machine_holds_it_until_the_host_allows_it(
    hand: libvirt.virConnect, repository: Repository, settings: Settings, tmp_path: Path
) -> None:
    kernel = "<domain><os><kernel>/boot/vmlinuz</kernel></os></domain>"
    repository.commit({"web.yaml": machine(kernel)})
    with Line.open(settings, exclusive=True) as line:
        [blocked] = line.look().plan.blocked
        assert blocked.reason == "NotAllowed"
        assert "os/kernel" in blocked.message
        assert "allow-xml (files)" in blocked.message
    allowing = Settings(repository=str(repository.path), connect=SHARED, state=tmp_path / "state", allow_xml=("files",))
    with Line.open(allowing, exclusive=True) as line:
        assert line.converge().succeeded
        assert "<kernel>/boot/vmlinuz</kernel>" in definition(hand)
    with Line.open(settings, exclusive=True) as line:
        redefine(hand, "/boot/vmlinuz", "/boot/other")
        plan = line.look().plan
        assert plan.steps == ()  # it stays as it is
        assert [item.reason for item in plan.blocked] == ["NotAllowed"]


def test_a_contradiction_with_what_only_a_host_tells_holds_the_machine(
    hand: libvirt.virConnect, repository: Repository, settings: Settings
) -> None:
    repository.commit({"web.yaml": machine("<domain><vcpu>3</vcpu></domain>", cpus=2)})
    with Line.open(settings, exclusive=True) as line:
        desired = line.desired()
        assert [(problem.line, problem.pointer) for problem in desired.problems] == [(10, "/spec/xml")]
