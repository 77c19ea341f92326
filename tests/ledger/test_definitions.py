"""The state remembers how what is ours looked last, at no cost while nothing changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.hypervisor.virtualmachine.definitions import masked
from reconciler.ledger import definition_store
from reconciler.ledger.ledger import Ledger
from reconciler.observed.snapshot import Observed
from reconciler.planning.ownership import Owned
from specs.reference import VIRTUAL_MACHINE, Ref

WEB, LAN, DISK = Ref("VirtualMachine", "web"), Ref("Network", "lan"), Ref.volume("disks", "web-root")
XML = "<domain type='test'><name>web</name></domain>"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path) as opened:
        opened.change(own=[Owned(WEB, "u"), Owned(LAN, "n"), Owned(DISK, "")])
        yield opened


def keep(ledger: Ledger, *seen: Observed) -> None:
    ledger.definitions.keep({one.ref: one for one in seen}, ledger.ownership.all())


def web(xml: str = XML, uid: str = "u", *, persistent: bool = True, autostart: bool = False) -> Observed:
    return Observed(WEB, uid, xml, state="shutoff", persistent=persistent, autostart=autostart)


def rows(ledger: Ledger) -> int:
    """Counts every row that was ever written, so that writing one anew shows too."""
    connection = sqlite3.connect(ledger.database.path)
    with connection:
        return int(connection.execute("SELECT coalesce(max(rowid), 0) FROM definition").fetchone()[0])


def xml_of(ledger: Ledger, ref: Ref = WEB) -> str:
    found = ledger.definitions.get(ref)
    return found.xml if found is not None else ""


def test_what_vanished_stays_known_as_it_was(ledger: Ledger) -> None:
    keep(ledger, web(autostart=True))
    keep(ledger)
    assert xml_of(ledger) == XML
    found = ledger.definitions.get(WEB)
    assert found is not None
    assert (found.uid, found.autostart) == ("u", True)


def test_it_outlives_the_process(tmp_path: Path, ledger: Ledger) -> None:
    keep(ledger, web())
    ledger.close()
    with Ledger.open(tmp_path) as again:
        assert xml_of(again) == XML
        written = rows(again)
        keep(again, web(str(bytearray(XML, "ascii"), "ascii")))
        assert rows(again) == written, "the same text was written again"


def test_nothing_is_written_while_nothing_changes(ledger: Ledger) -> None:
    keep(ledger, web())
    written = rows(ledger)
    running = Observed(WEB, "u", XML, XML, "running", "booted")
    for seen in (web(), running, web()):
        keep(ledger, seen)
    assert rows(ledger) == written
    keep(ledger, web(XML.replace("test", "kvm")))
    assert rows(ledger) > written
    assert "kvm" in xml_of(ledger)


def test_what_was_undefined_while_it_runs_is_not_taken_for_its_definition(ledger: Ledger) -> None:
    keep(ledger, web())
    keep(ledger, web("<domain type='test'><name>web</name><title>running</title></domain>", persistent=False))
    assert xml_of(ledger) == XML


def test_only_what_is_ours_is_remembered(ledger: Ledger) -> None:
    keep(ledger, web(uid="somebody"), Observed(Ref("VirtualMachine", "other"), "o", XML), Observed(DISK, "", XML))
    assert rows(ledger) == 0


def test_what_is_removed_by_an_order_is_forgotten(ledger: Ledger) -> None:
    keep(ledger, web())
    ledger.change(disown=[WEB])
    keep(ledger)
    assert xml_of(ledger) == ""


def test_no_definition_fills_the_disk(ledger: Ledger) -> None:
    keep(ledger, web(f"<domain><title>{'x' * 300_000}</title></domain>"))
    assert rows(ledger) == 0


def test_no_password_is_in_the_state(ledger: Ledger) -> None:
    read = masked("<domain>\n  <devices>\n    <graphics type='vnc' passwd='s3cret'/>\n  </devices>\n</domain>")
    keep(ledger, web(read))
    assert "s3cret" not in xml_of(ledger)


@pytest.mark.parametrize("stored", [b"\x00scribbled", b"", None])
def test_a_stored_definition_that_nobody_can_read_is_none(ledger: Ledger, stored: bytes | None) -> None:
    keep(ledger, web())
    connection = sqlite3.connect(ledger.database.path)
    with connection:
        connection.execute("UPDATE definition SET xml = ?", (stored if stored is not None else "text",))
    connection.close()
    found = ledger.definitions.get(WEB)
    assert found is None or found.xml == ""


def test_only_what_is_another_since_the_last_look_is_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [Ref(VIRTUAL_MACHINE, f"vm{number}") for number in range(100)]
    ledger.change(own=[Owned(ref, ref.name) for ref in others])
    seen = {ref: Observed(ref, ref.name, XML) for ref in others} | {WEB: web()}
    ledger.definitions.keep(seen, ledger.ownership.all())
    read: list[bytes] = []

    def counted(text: bytes) -> Any:
        read.append(text)
        return sha256(text)

    monkeypatch.setattr(definition_store, "hashlib", SimpleNamespace(sha256=counted))
    seen = {**seen, WEB: web("<domain/>")}
    ledger.definitions.keep(seen, ledger.ownership.all())
    assert len(read) == 1
    assert xml_of(ledger) == "<domain/>"
    ledger.change(own=[Owned(others[0], "somebody else"), Owned(others[1], others[1].name, "moved.yaml")])
    ledger.definitions.keep(seen, ledger.ownership.all())
    assert len(read) == 2  # the first isn't ours any more
