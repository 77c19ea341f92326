"""Makes a machine from a document: commits it, waits until it is on the host, or takes all of it back again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from api.vms.removing import remove_machine
from reconciler.errors import Conflict
from reconciler.serving.client import Client
from reconciler.serving.creating import NewObject, create, made_later
from reconciler.serving.serving import Serving
from specs.plain import DocumentData
from specs.reference import Ref

_LONGEST_S: Final = 3600.0


def make_machine(
    serving: Serving,
    ref: Ref,
    document: DocumentData,
    message: str,
    client: Client,
    *,
    before: Callable[[], None] = lambda: None,
) -> str | None:
    """Make it, and give a sentence when it is only committed for now. Raises OnggiError; then nothing of it is left.

    `before` is called just before the commit, perhaps several times.
    """
    new = NewObject(
        ref,
        document,
        "machine",
        message,
        taken=lambda: Conflict(f"KCHVM0001E: There is a machine {ref.name} already; choose another name."),
        before=before,
        leftover=lambda _before: remove_machine(serving, ref, client),
        settle=False,  # a machine isn't stopped politely that couldn't be made
    )
    return made_later(create(serving.changes, new, client, timeout_s=_LONGEST_S), ref)
