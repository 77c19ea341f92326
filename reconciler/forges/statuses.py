"""Posts a commit's state from a thread of its own: each change once, again after a while when the forge is away.

Reconciling only ever leaves a note here, which costs it nothing and can't fail.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from typing import Final

from reconciler.errors import OnggiError, Transient
from reconciler.forges.forge import CommitStatus, Forge, State

log = logging.getLogger("onggi.forge")

_FIRST_RETRY_S: Final = 1.0
_LONGEST_RETRY_S: Final = 60.0
_MENDED_BY_PEOPLE_S: Final = 300.0  # what only a person can mend isn't asked for all the time


class Statuses:
    """`tell` from any thread, `run` in one."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._changed = threading.Condition()
        # Two: that a commit was seen, and what became of it. What is older than that interests nobody any more.
        self._due: deque[tuple[str, CommitStatus]] = deque(maxlen=2)
        self._told: tuple[str, CommitStatus] | None = None
        self._closed = False
        self._problem = ""

    def tell(self, commit: str, status: CommitStatus) -> None:
        """Have this posted unless it is what was told last. A commit is pending once: healing is no news of it."""
        with self._changed:
            if self._told == (commit, status):
                return
            if self._told is not None and self._told[0] == commit and status.state is State.PENDING:
                return
            self._told = (commit, status)
            self._due.append(self._told)
            self._changed.notify_all()

    def close(self) -> None:
        """Let `run` end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def run(self) -> None:
        """Post what is due until `close`."""
        failures = 0
        while (due := self._next()) is not None:
            wait_s = self._post(*due)
            if wait_s is None:
                failures = 0
                with self._changed:
                    if self._due and self._due[0] is due:
                        self._due.popleft()
                continue
            failures += 1
            self._pause(max(wait_s, min(_FIRST_RETRY_S * 2 ** min(failures, 10), _LONGEST_RETRY_S)))

    def _next(self) -> tuple[str, CommitStatus] | None:
        """What is due, oldest first; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._due)
            return None if self._closed else self._due[0]

    def _pause(self, seconds: float) -> None:
        """Wait before the next try; news end the wait, for they may be about another commit."""
        with self._changed:
            newest = self._told
            self._changed.wait_for(
                lambda: self._closed or self._told is not newest,
                seconds * random.uniform(0.8, 1.2),  # noqa: S311
            )

    def _post(self, commit: str, status: CommitStatus) -> float | None:
        """None when it is done, else after how many seconds to try again at the earliest."""
        try:
            self._forge.set_status(commit, status)
        except Transient as error:
            self._complain(error)
            return error.retry_after_s
        except OnggiError as error:
            self._complain(error)
            return _MENDED_BY_PEOPLE_S
        except Exception:  # a forge of any make must not end the thread
            log.exception("a commit's status couldn't be posted; it is tried again")
            return _MENDED_BY_PEOPLE_S
        self._problem = ""
        log.debug("posted %s of %s: %s", status.state, commit, status.description)
        return None

    def _complain(self, error: OnggiError) -> None:
        if str(error) != self._problem and not self._closed:
            log.warning("the commit's status isn't posted yet: %s", error)
        self._problem = str(error)
