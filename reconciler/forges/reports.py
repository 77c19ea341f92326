"""Everything that is told to one forge, and the threads that tell it. An agent without a forge has none of it."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

from reconciler.forges.address import forge_address
from reconciler.forges.client import ForgeClient
from reconciler.forges.commit_status import outcome_status
from reconciler.forges.connect import connect
from reconciler.forges.forge import CommitStatus, Forge, State
from reconciler.forges.proposals import Proposals, Rehearse
from reconciler.forges.statuses import Statuses
from reconciler.reporting.plan_markdown import headline
from reconciler.settings.settings import Settings
from reconciler.source.location import Remote, parse_location
from reconciler.source.proposed import ProposedChanges
from reconciler.status.one_pass import Pass

log = logging.getLogger("onggi.forge")

_LONGEST_END_S = 1.0


class ForgeReports:
    """Made by `open`. Telling never blocks and never raises."""

    def __init__(
        self, forge: Forge, client: ForgeClient, host: str, proposals: Proposals | None, changes: ProposedChanges | None
    ) -> None:
        self._client = client
        self._context = f"onggi/{host}"
        self._statuses = Statuses(forge)
        self._proposals = proposals
        self._changes = changes
        runs = [self._statuses.run] + ([proposals.run] if proposals is not None else [])
        self._threads = [threading.Thread(target=run, name="onggi-forge", daemon=True) for run in runs]

    @classmethod
    def open(cls, settings: Settings, rehearse: Rehearse, latest: Callable[[], Pass | None]) -> Self | None:
        """None when the settings name no forge. Raises SettingsError; nothing is asked yet."""
        address = forge_address(settings)
        if address is None:
            return None
        forge, client = connect(address)
        host = host_name(settings.connect)
        proposals = changes = None
        if isinstance(parse_location(settings.repository), Remote):
            changes = ProposedChanges(settings.repository, path=settings.path, state_dir=settings.state)
            proposals = Proposals(
                forge, changes, rehearse, latest,
                host=host, forks=settings.forge_plan_forks, interval_s=settings.interval_s,
            )  # fmt: skip
        log.info("telling %s at %s", address.repository, address.api)
        return cls(forge, client, host, proposals, changes)

    def start(self) -> None:
        """Tell from now on."""
        for thread in self._threads:
            thread.start()

    def look(self) -> None:
        """Something was pushed: look at the pull requests soon."""
        if self._proposals is not None:
            self._proposals.look()

    def planned(self, now: Pass) -> None:
        """A pass is about to do this. Shown once, when the revision is new."""
        self._tell(now, CommitStatus(State.PENDING, self._context, headline(now.plan)))

    def passed(self, now: Pass) -> None:
        """A pass is through."""
        self._tell(now, outcome_status(now, self._context))

    def _tell(self, now: Pass, status: CommitStatus) -> None:
        if now.desired.revision.algorithm == "sha1":
            self._statuses.tell(now.desired.revision.digest, status)

    def close(self) -> None:
        """End, soon: what is being told may be cut off."""
        self._statuses.close()
        if self._proposals is not None:
            self._proposals.close()
        if self._changes is not None:
            self._changes.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_LONGEST_END_S)
        self._client.close()


def host_name(uri: str) -> str:
    """The host that `uri` means, in characters that mean nothing to anybody."""
    try:
        name = urlsplit(uri).hostname or socket.gethostname()
    except ValueError:
        name = socket.gethostname()
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)[:60].strip("-.") or "host"
