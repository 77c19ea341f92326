"""The objects of a snapshot whose definitions can be read, for whoever looks through all of them at once.

One that can't is told of in the log, once, and hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.bulkhead import Failure, contained
from reconciler.observed.snapshot import Observed, Snapshot


def readable(snapshot: Snapshot, kind: str) -> Iterator[Observed]:
    """Of one kind; their `config` and `live` won't raise."""
    for ref, seen in snapshot.objects.items():
        if ref.kind == kind:
            key = (seen.xml, seen.live_xml)
            if not isinstance(contained("reading its definition", ref, key, _definitions, seen), Failure):
                yield seen


def _definitions(seen: Observed) -> None:
    _ = seen.config, seen.live
