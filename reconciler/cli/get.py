"""`onggi get`."""

from __future__ import annotations

from reconciler.cli.objects import kind_argument, name_argument
from reconciler.cli.options import RESULT, state, verb
from reconciler.cli.output import Output
from reconciler.errors import NotFound
from reconciler.settings.settings import Settings
from specs.reference import Ref
from specs.registry import Kind


@verb("get", kind_argument(required=True), name_argument, state, *RESULT)
def command(kind: Kind, name: str | None, settings: Settings, out: Output) -> int:
    """Show how the objects of a kind are, or one of them.

    As last seen by the agent, or by the last `onggi apply`. With -o yaml or json: every condition, in the shape of
    documents. Exits with 1 when one of them won't come true by itself, or when the agent can't read or follow its
    repository.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder
    from reconciler.reporting.matters import is_well
    from reconciler.reporting.said_since import said_since
    from reconciler.reporting.status_text import status_document, statuses_text

    ledger = Ledger.open(settings.state, readonly=True)
    info = ledger.heartbeat.told()
    followed = not info.get("source_problem")
    if info.get("last_pass") and StateFolder.holder(settings.state) is None:
        out.note(f"onggi: no agent runs; this is how it was at {info['last_pass']}")
    owned, suspensions = ledger.ownership.all(), ledger.decisions.suspensions()
    if name is not None:
        one = ledger.status.of(Ref(kind.name, name))
        if one is None:
            raise NotFound(f"Nothing is known of {kind.name}/{name}; `onggi get {kind.name}` lists what is.")
        (one,) = said_since([one], suspensions, owned)
        out.show(lambda: status_document(one), lambda: statuses_text([one], colour=out.colour))
        return int(not followed or not is_well(one.conditions))
    found = said_since((item for item in ledger.status.all() if item.ref.kind == kind.name), suspensions, owned)
    if not found:
        out.note(f"No {kind.plural} are known: neither an agent nor an apply has seen any.")
    out.show(
        lambda: {"apiVersion": "onggi/v1", "kind": "List", "items": [status_document(item) for item in found]},
        lambda: statuses_text(found, colour=out.colour) if found else "",
    )
    return int(not followed or not all(is_well(item.conditions) for item in found))
