"""`onggi adopt`: what it takes, what it leaves to others, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.ledger.lock import StateFolder
from tests.cli.command import Onggi

CONNECT = ("--connect", "test:///default")
EVERYTHING = ["Network/default", "StoragePool/default-pool", "VirtualMachine/test"]


@pytest.fixture
def folder(onggi: Onggi, tmp_path: Path) -> Path:
    assert onggi("export", tmp_path / "documents", *CONNECT).code == 0
    return tmp_path / "documents"


def owned(onggi: Onggi, state: Path) -> dict[str, bool]:
    """What the ledger holds, and whether it is only observed."""
    from reconciler.ledger.ledger import Ledger

    entries = Ledger.open(state, readonly=True).ownership.all()
    return {str(ref): "observe" in entry.facts for ref, entry in sorted(entries.items())}


def test_by_default_everything_is_taken_over_and_only_observed(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    done = onggi("adopt", folder, *CONNECT, "--state", tmp_path / "state")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [f"{name}: observed, as declared" for name in EVERYTHING]
    assert owned(onggi, tmp_path / "state") == dict.fromkeys(EVERYTHING, True)


def test_what_differs_is_shown_and_not_changed(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    document = folder / "vms/test.yaml"
    document.write_text(document.read_text().replace("memory: 2GiB", "memory: 1GiB"))
    state = ("--state", tmp_path / "state")
    done = onggi("adopt", folder, *CONNECT, *state)
    assert done.out.splitlines()[2:] == [
        "VirtualMachine/test: observed, differs in 1",
        "    /memory: 2GiB → 1GiB",
    ]
    plan = onggi("plan", folder, *CONNECT, *state, "-o", "json").json
    assert plan["steps"] == []
    assert [item["name"] for item in plan["drifted"]] == ["test"]
    assert onggi("apply", folder, *CONNECT, *state, "-o", "json").json["outcomes"] == []


def test_enforcing_shows_the_plan_that_follows(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    document = folder / "vms/test.yaml"
    document.write_text(document.read_text().replace("memory: 2GiB", "memory: 1GiB"))
    state = ("--state", tmp_path / "state")
    assert onggi("adopt", folder, *CONNECT, *state).code == 0
    done = onggi("adopt", folder, *CONNECT, *state, "--enforce")
    assert done.code == 0, done.err
    assert "VirtualMachine/test: enforced" in done.out
    assert "/memory:  2GiB → 1GiB  (live)" in done.out
    assert "differs from its document" in done.out
    assert owned(onggi, tmp_path / "state") == dict.fromkeys(EVERYTHING, False)


def test_single_objects_are_adopted_by_their_names(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    done = onggi("adopt", folder, "net/default", *CONNECT, "--state", tmp_path / "state", "-o", "json")
    assert done.code == 0, done.err
    assert [(item["name"], item["state"]) for item in done.json["objects"]] == [("default", "observed")]
    assert owned(onggi, tmp_path / "state") == {"Network/default": True}


def test_a_name_that_is_nowhere_is_told_and_the_others_are_adopted(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    done = onggi("adopt", folder, "vm/test", "vm/nobody", *CONNECT, "--state", tmp_path / "state")
    assert done.code == 1
    assert "VirtualMachine/nobody isn't both declared and on the host; check the name" in done.err
    assert owned(onggi, tmp_path / "state") == {"VirtualMachine/test": True}


def test_the_annotation_isnt_needed_where_nobody_else_claims_it(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    document = folder / "vms/test.yaml"
    document.write_text(document.read_text().replace('onggi/adopt: "true"', 'onggi/adopt: "false"'))
    state = ("--state", tmp_path / "state")
    plan = onggi("plan", folder, *CONNECT, *state, "-o", "json").json
    assert [item["reason"] for item in plan["blocked"]] == ["OwnedByOther"]
    assert onggi("adopt", folder, *CONNECT, *state).code == 0
    plan = onggi("plan", folder, *CONNECT, *state, "-o", "json").json
    assert plan["blocked"] == plan["steps"] == []


def test_another_object_of_the_same_name_is_a_conflict(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    document = folder / "vms/test.yaml"
    text = document.read_text()
    other = "11111111-2222-4333-8444-555555555555"
    document.write_text(text.replace("6695eb01-f6a4-8304-79aa-97f2502e193f", other))
    state = ("--state", tmp_path / "state")
    done = onggi("adopt", folder, *CONNECT, *state)
    assert done.code == 1
    assert f"has the UUID 6695eb01-f6a4-8304-79aa-97f2502e193f, not {other}" in done.err
    assert "VirtualMachine/test" not in owned(onggi, tmp_path / "state")
    plan = onggi("plan", folder, *CONNECT, *state, "-o", "json").json
    assert [item["reason"] for item in plan["blocked"]] == ["OwnedByOther"]
    assert plan["steps"] == []


def test_beside_a_running_agent_it_is_refused_with_a_sentence(onggi: Onggi, folder: Path, tmp_path: Path) -> None:
    with StateFolder.open(tmp_path / "state", exclusive=True):
        done = onggi("adopt", folder, *CONNECT, "--state", tmp_path / "state")
    assert done.code == 1
    assert "stop that one first" in done.err


def test_a_word_that_names_no_object_is_a_usage_error(onggi: Onggi, folder: Path) -> None:
    done = onggi("adopt", folder, "web", *CONNECT)
    assert done.code == 1
    assert "'web' isn't KIND/NAME" in done.err
