"""The repository as the loop follows it: the revision in force, and what keeps a newer one from being that."""

from __future__ import annotations

import logging

from reconciler.desired.state import DesiredState
from reconciler.errors import SourceError
from reconciler.line.line import Line
from reconciler.loop.notifier import Notifier
from reconciler.source.verification import Unverified
from reconciler.status.source_state import SourceState, source_state

log = logging.getLogger("onggi.agent")


class FollowedSource:
    """One per agent, for its loop; any thread may read what is in force."""

    def __init__(self, line: Line, notifier: Notifier) -> None:
        self.desired: DesiredState | None = None  # what is in force; None before anything could be read
        self.problem = ""  # why the newest revision that is here can't be
        self.untrusted = False  # it isn't signed as it has to be
        self._line = line
        self._notifier = notifier

    def read(self) -> None:
        """Read what is there now. A source that can't be read leaves the last good revision in force."""
        try:
            before = self.desired
            self.desired = self._line.desired()
        except SourceError as error:
            self.problem, self.untrusted = str(error), isinstance(error, Unverified)
            if self.desired is None:
                self.desired = self._line.last_good()
            return
        self.problem, self.untrusted = "", False
        if before is None or before.revision != self.desired.revision:
            log.info("revision %s: %d objects declared", self.desired.revision, len(self.desired.resources))
            self._notifier.followed(self.desired.revision)

    def state(self, *, owns: bool) -> SourceState | None:
        """What is wrong with it; None when nothing is. `owns` tells that there is something to lose."""
        return source_state(
            self.desired,
            unreadable=self.problem,
            untrusted=self.untrusted,
            unanswered=self._line.source.problem,
            owns=owns,
            rewritten=self._line.lineage.undecided,
        )
