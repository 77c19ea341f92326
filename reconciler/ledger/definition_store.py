"""What each machine, network and pool of ours looked like when it was last seen.

A document says only part of an object. When that vanishes from the host, the rest is nowhere else. What is kept here
is masked like every definition that is read, bounded in size, and written only when it differs.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.ledger.database import Database
from reconciler.planning.last_seen import LastSeen
from specs.reference import Ref
from specs.registry import described

if TYPE_CHECKING:
    from reconciler.observed.snapshot import Observed
    from reconciler.planning.ownership import Owned

_MOST_BYTES = 256 * 1024  # of one definition; real ones have about ten thousand


class DefinitionStore:
    """One per ledger, for any thread; each method raises StateError when the file fails it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._digests: dict[Ref, bytes] | None = None  # of what is stored
        self._last: tuple[Mapping[Ref, Observed], Mapping[Ref, Owned]] = ({}, {})  # what those are of

    def keep(self, objects: Mapping[Ref, Observed], owned: Mapping[Ref, Owned]) -> None:
        """Remember what of ours is on the host, and forget what isn't ours any more. What vanished stays known."""
        with self._database.lock:
            last_objects, last_owned = self._last
            if last_objects is objects and last_owned is owned:
                return
            if self._digests is None:
                self._digests = self._stored()
            known = self._digests
            news: list[tuple[Ref, Observed, bytes, bytes]] = []
            for ref in _others(last_objects, objects) | _others(last_owned, owned):
                found, entry = objects.get(ref) if described(ref.kind).is_defined else None, owned.get(ref)
                if found is None or entry is None or not found.persistent or found.uid != entry.uid:
                    continue
                text = found.xml.encode()
                digest = hashlib.sha256(b"%d%s" % (found.autostart, text)).digest()
                if known.get(ref) != digest and len(text) <= _MOST_BYTES:
                    news.append((ref, found, digest, zlib.compress(text, 1)))
            gone = known.keys() - owned.keys()
            if news or gone:
                self._write(news, gone)
                known.update((ref, digest) for ref, _, digest, _ in news)
                for ref in gone:
                    del known[ref]
            self._last = (objects, owned)

    def get(self, ref: Ref) -> LastSeen | None:
        """How an object was last seen; None when that isn't known, or can't be understood any more."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT uid, autostart, xml FROM definition WHERE kind = ? AND name = ?", (ref.kind, ref.name)
            ).fetchone()
        if row is None:
            return None
        try:
            text = zlib.decompressobj().decompress(row[2], _MOST_BYTES).decode()
        except (zlib.error, UnicodeDecodeError, TypeError):
            return None
        return LastSeen(str(row[0]), text, bool(row[1]))

    def _stored(self) -> dict[Ref, bytes]:
        with self._database.reading() as connection:
            return {Ref(*row[:2]): row[2] for row in connection.execute("SELECT kind, name, digest FROM definition")}

    def _write(self, news: list[tuple[Ref, Observed, bytes, bytes]], gone: set[Ref]) -> None:
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM definition WHERE kind = ? AND name = ?", gone)
            connection.executemany(
                "INSERT OR REPLACE INTO definition VALUES (?, ?, ?, ?, ?, ?)",
                ((*ref, found.uid, digest, found.autostart, packed) for ref, found, digest, packed in news),
            )


def _others(before: Mapping[Ref, object], now: Mapping[Ref, object]) -> set[Ref]:
    """Where there is another value now than there was, or one where there was none."""
    return {ref for ref, value in now.items() if before.get(ref) is not value}
