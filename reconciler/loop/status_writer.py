"""What is left of a pass for others: conditions in the ledger, notices of what begins and ends, and the world that
clients are served from.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.line.line import Line
from reconciler.loop.followed import FollowedSource
from reconciler.loop.notifier import Notifier
from reconciler.loop.passes import Passes, World
from reconciler.settings.settings import Settings
from reconciler.status.source_state import SourceState


class StatusWriter:
    """One per agent, for its loop."""

    def __init__(
        self, settings: Settings, line: Line, followed: FollowedSource, notifier: Notifier, passes: Passes
    ) -> None:
        self._settings = settings
        self._line = line
        self._followed = followed
        self._notifier = notifier
        self._passes = passes

    def write(self, world: World | None, source: SourceState | None, *, settled: bool, through: bool) -> None:
        """Write down what `onggi status` and the API report. `world` is None while there was nothing to plan; clients
        are shown one whose pass is `through`. While it isn't `settled`, what waits for others may soon have them.

        Raises StateError.
        """
        desired, ledger = self._followed.desired, self._line.ledger
        revision = str(desired.revision) if desired is not None else ""
        if world is not None:
            found = world.conditions
            states = {ref: seen.state for ref in found if (seen := world.snapshot.get(ref)) is not None}
            ledger.status.note(found, revision, states)
        source = self._notifier.tell(desired, world, source, settled=settled)
        if world is not None and through:
            self._passes.publish(replace(world, source=source))
        ledger.heartbeat.tell(
            connect=self._settings.connect,
            listen="" if self._settings.tls_cert else self._settings.listen,  # for those here who ask by HTTP
            socket=str(self._settings.socket or ""),
            connected=self._line.hypervisor.connected,
            revision=revision,
            source=self._line.source.key,
            source_problem=source.message if source is not None else "",
            source_reason=source.reason if source is not None else "",
            source_since=source.since if source is not None else "",
            source_verified=self._verified(),
            outside_window=world.closed if world is not None else "",
        )

    def _verified(self) -> str:
        """Whether the head is signed as it has to be; empty when it needn't be."""
        return "" if self._settings.require_signed == "no" else str(not self._followed.untrusted).lower()
