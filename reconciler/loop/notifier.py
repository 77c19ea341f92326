"""Tells once what begins and once what ends, in the log and as events: objects that are held back, files that nobody
can read, a repository that doesn't answer or whose history was rewritten.

What there is to be told is decided in `reporting/matters`; what was told is remembered by the ledger, so that a restart
doesn't tell it again.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from reconciler.desired.state import DesiredState
from reconciler.ledger.ledger import Ledger
from reconciler.loop.passes import World
from reconciler.reporting.matters import FILE, HISTORY_REWRITTEN, LASTING, SOURCE, UNREADABLE, WAITS_FOR_OTHERS, matters
from reconciler.source.source import Source
from reconciler.source.tree import Revision
from reconciler.status.source_state import SourceState
from reconciler.status.status import DRIFTED
from specs.reference import Ref

log = logging.getLogger("onggi.agent")

_SHORT = 12  # characters by which people know a commit
_NAMED = 5


class Notifier:
    """One per agent, for its loop."""

    def __init__(self, ledger: Ledger, source: Source) -> None:
        self._ledger = ledger
        self._source = source
        self._ref = Ref(SOURCE, source.key)
        info = ledger.heartbeat.told()
        # What an earlier run followed: a history may be rewritten while nobody looks.
        self._followed = info.get("revision", "") if info.get("source") == source.key else ""

    def followed(self, revision: Revision) -> None:
        """A revision was read: tell if it doesn't build on the one before. Raises StateError."""
        before, self._followed = self._followed, str(revision)
        if before and before != self._followed and (told := rewritten(self._source, _revision(before), revision)):
            log.warning("%s", told)
            self._ledger.history.warn(self._ref, "Rewritten", told, str(revision))

    def tell(
        self,
        desired: DesiredState | None,
        world: World | None,
        state: SourceState | None,
        *,
        settled: bool = True,
    ) -> SourceState | None:
        """Tell of what has begun and what has ended since the last time, and give `state` with its beginning.

        `world` says nothing about objects while the host can't be reached, and is None before it ever was. While it
        isn't `settled`, what waits for others may soon have them. Raises StateError.
        """
        book = self._ledger.notices
        found = world.conditions if world is not None and world.snapshot.connected else None
        suspended = world.suspended if world is not None else frozenset()
        wanted = matters(found or {}, desired.problems) if desired is not None else {}
        if not settled:
            known = book.open()
            wanted = {key: said for key, said in wanted.items() if key[1] != WAITS_FOR_OTHERS or key in known}
        what = HISTORY_REWRITTEN if state is not None and state.is_followed else UNREADABLE
        if state is not None:
            wanted[self._ref, what] = f"{state.reason}: {state.message}"

        def unjudged(ref: Ref, reason: str) -> bool:
            if ref.kind == SOURCE:
                return False
            if ref.kind == FILE:
                return desired is None
            resource = desired.resources.get(ref) if desired is not None else None
            left_alone = ref in suspended or (resource is not None and resource.parent in suspended)
            return found is None or (left_alone and reason != DRIFTED)

        news = book.tell(
            wanted, str(desired.revision) if desired is not None else "", lasting=LASTING, unjudged=unjudged
        )
        for notice in news.begun:
            log.warning("%s: %s: %s", notice.ref, notice.reason, notice.message)
        for notice in news.ended:
            log.info("%s: %s is over", notice.ref, notice.reason)
        if state is None:
            return None
        return replace(state, since=book.open()[self._ref, what].since)

    def summary(self) -> str:
        """What isn't well, for the line that says that the agent is ready; empty when all is."""
        open_ones = sorted(self._ledger.notices.open())
        if not open_ones:
            return ""
        more = f" and {len(open_ones) - _NAMED} more" if len(open_ones) > _NAMED else ""
        return f"not well: {', '.join(f'{ref} ({reason})' for ref, reason in open_ones[:_NAMED])}{more}"


def rewritten(source: Source, before: Revision | None, now: Revision) -> str:
    """A sentence when `now` doesn't build on `before` although both are of one branch; empty else."""
    commits_after = getattr(getattr(source, "behind", source), "commits_after", None)
    if commits_after is None or before is None or before.branch != now.branch or before.algorithm != now.algorithm:
        return ""
    if commits_after(before.digest, now.digest) is not None:
        return ""
    older = commits_after(now.digest, before.digest)
    back = "1 commit" if older is not None and len(older) == 1 else f"{len(older or ())} commits"
    how = f"goes back by {back}" if older else "was rewritten (a force push)"
    return (
        f"The history of {now.branch} {how}: {before.digest[:_SHORT]} was in force, and {now.digest[:_SHORT]} doesn't "
        f"build on it. It is followed; git log {before.digest[:_SHORT]} tells what is left behind."
    )


def _revision(text: str) -> Revision | None:
    branch, at, name = text.rpartition("@")
    algorithm, _, digest = name.partition(":")
    return Revision(branch, algorithm, digest) if at and digest else None
