"""How the host stands to the documents: what /status, /drift, /plan, /revisions and /events share."""

from __future__ import annotations

import json
from typing import Final

import orjson

from api.http.endpoint import OURS, Resource
from api.http.refusal import Refusal
from api.http.schema import arr, integer, obj, text
from reconciler.ledger.ledger import Ledger
from specs.plain import NewJson
from specs.reference import Ref
from specs.registry import find_kind

KIND: Final = text("Its kind.", examples=["VirtualMachine"])
NAME: Final = text("Its name; a volume's has its pool before it: default/web.qcow2.")
TIME: Final = text("RFC 3339, in UTC.", examples=["2026-01-31T12:00:00Z"])
REVISION_TEXT: Final = text("The revision.", examples=["main@sha1:0c6f…"])
ITEM: Final = {"kind": KIND, "name": NAME}
_PROBLEM: Final = obj(
    {
        "path": text("The document's file."),
        "line": integer("The line there."),
        "column": integer("The column there."),
        "message": text("A sentence that says what to do."),
        "pointer": text("A JSON pointer into the document."),
        **ITEM,
    },
    required=("path", "line", "column", "message"),
    title="Problem",
)
PROBLEMS: Final = arr(_PROBLEM, description="Mistakes in documents; what they declare is left as it is.")


class Report(Resource):
    """An address that tells how it stands, and changes nothing."""

    tag = "Reports"
    since = OURS

    @property
    def ledger(self) -> Ledger:
        """What the agent remembers."""
        return self.serving.ledger


def named(kind: str, name: str) -> Ref:
    """The object that an address names; the kind by its name, its plural or an alias. Raises Refusal 404."""
    found = find_kind(kind)
    if found is None:
        raise Refusal(404, "There is no such kind; see `onggi explain` for those that there are.")
    return Ref(found.name, name)


def plain(value: NewJson) -> NewJson:
    """Only what JSON knows, as the command line prints it."""
    plain: NewJson = orjson.loads(json.dumps(value, default=str))
    return plain
