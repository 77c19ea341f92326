"""How the parts of a `<filter>` are told apart, so that a document's XML finds its places: see `specs/overlay`."""

from __future__ import annotations

from specs.overlay.tables import LISTED, Table, reaches

TABLE = Table(
    "NetworkFilter",
    "filter",
    {"rule": LISTED, "filterref": LISTED},
    harmless=("rule", "filterref", "@chain", "@priority"),
    reaching={"filterref/@filter": reaches("network")},
    never={
        "@name": "the document's `metadata.name` says how it is called; remove it",
        "uuid": "the document's `metadata.uid` says which one it is; remove it",
    },
)
