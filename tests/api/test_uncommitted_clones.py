"""Clones whose commit fails while the agent lives: nothing stays that isn't committed, and all that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libvirt
import pytest

from reconciler.errors import Conflict, Transient
from reconciler.serving.changes import Made
from reconciler.serving.client import Client
from reconciler.writing.changes import Edit
from specs.reference import Ref
from tests.api.live import LiveApi
from tests.api.machines import disks_on, make
from tests.lab.waiting import until

VOLUMES = "/storagepools/default-pool/storagevolumes"
CLONES = [
    ("/vms/web/clone", {}, "web-clone-1-disk0.qcow2"),
    (f"{VOLUMES}/web-disk0.qcow2/clone", {"name": "copy.qcow2"}, "copy.qcow2"),
]


def fail_commits(api: LiveApi, monkeypatch: pytest.MonkeyPatch, error: Exception, *, before: bool) -> None:
    """Have every commit of a clone end with `error`: before anything is written, or after all is."""
    true = api.serving.changes.make

    def make_or_fail(edit: Edit, message: str, client: Client, refs: Iterable[Ref], **more: Any) -> Made:
        is_clone = message.startswith("Clone")
        if is_clone and before:
            raise error
        made = true(edit, message, client, refs, **more)
        if is_clone:
            raise error
        return made

    monkeypatch.setattr(api.serving.changes, "make", make_or_fail)


@pytest.mark.parametrize(("path", "body", "copy"), CLONES, ids=["machine", "volume"])
def test_a_clone_whose_commit_is_refused_leaves_no_copy(
    templates: LiveApi, hand: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch,
    path: str, body: dict[str, str], copy: str,
) -> None:  # fmt: skip
    make(templates)
    head = templates.repository.head
    fail_commits(templates, monkeypatch, Conflict("Somebody else is writing."), before=True)
    task = templates.task(templates.client.post(path, json=body))
    assert (task["status"], task["message"]) == ("failed", "Somebody else is writing.")
    assert disks_on(hand) == {"web-disk0.qcow2"}
    assert templates.repository.head == head
    ledger = templates.agent.line.ledger
    assert Ref.volume("default-pool", copy) not in ledger.ownership.all()
    assert (ledger.intents.unfinished(), ledger.intents.uncommitted()) == ((), ())


@pytest.mark.parametrize(("path", "body", "copy"), CLONES, ids=["machine", "volume"])
def test_a_clone_that_is_committed_keeps_its_copy_although_its_task_gives_up(
    templates: LiveApi, hand: libvirt.virConnect, monkeypatch: pytest.MonkeyPatch,
    path: str, body: dict[str, str], copy: str,
) -> None:  # fmt: skip
    make(templates)
    fail_commits(templates, monkeypatch, Transient("It is committed, and comes true later."), before=False)
    assert templates.task(templates.client.post(path, json=body))["status"] == "failed"
    assert templates.log()[0].startswith("Clone")
    assert disks_on(hand) == {"web-disk0.qcow2", copy}
    until(lambda: templates.serving.world.plan.empty, 60, "nothing is left to do")
    assert Ref.volume("default-pool", copy) in templates.agent.line.ledger.ownership.all()
