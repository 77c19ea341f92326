"""A client's change of documents: committed, then waited for until the host is as it says.

What a commit looks like is the writer's business, what comes of it the agent's; here they are joined.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.errors import NotApplied, SourceError, Transient, WritesRefused
from reconciler.faults import boundary
from reconciler.identity.names import LONGEST
from reconciler.line.line import Line
from reconciler.loop.passes import Passes, World
from reconciler.loop.work_queue import WorkQueue
from reconciler.planning.approval import NEEDS_APPROVAL
from reconciler.serving.adoption import document_of
from reconciler.serving.asked import EVERYTHING, Asked, asked_by
from reconciler.serving.client import Client
from reconciler.serving.rollout import Rollout, family, rollout
from reconciler.serving.sight import Sight
from reconciler.serving.within import check_within
from reconciler.source.commit_text import Author
from reconciler.writing.changes import DocumentChange, Documents, Edit
from specs.plain import DocumentData
from specs.reference import Ref

if TYPE_CHECKING:
    from reconciler.writing.writer import Writer

TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was committed. `world` is the pass that found it settled (or, not waited for, that read it)."""

    revision: str
    world: World


class Changes:
    """One per agent. Any thread may make changes; commits are serialised by the writer, the waiting isn't."""

    def __init__(self, line: Line, queue: WorkQueue, passes: Passes, writer: Writer | None) -> None:
        """`writer` is None when the API isn't to write."""
        self._line = line
        self._queue = queue
        self._passes = passes
        self._writer = writer
        self._lock = threading.Lock()
        self._removing: set[Ref] = set()  # what clients have told us to remove and wait for

    @property
    def world(self) -> World:
        """What the last pass found. Raises Transient before the first is through."""
        world = self._passes.latest
        if world is None:
            raise Transient("The agent's first pass isn't through yet; ask again soon.")
        return world

    @property
    def allowed(self) -> bool:
        """False when the repository is read-only for the API."""
        return self._writer is not None

    def check_allowed(self) -> None:
        """Raises WritesRefused when the repository is read-only for the API. For what has to be known before."""
        if self._writer is None:
            raise WritesRefused(
                f"The API doesn't write to the repository here; commit the change to {self._line.source.key}."
            )

    def make(
        self,
        edit: Edit,
        message: str,
        client: Client,
        refs: Iterable[Ref],
        *,
        settle: bool = True,
        removes: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> Made:
        """Commit what `edit` gives and wait until `refs` have come true; without `settle` only until it was planned.

        With `removes` they are to go: an order that needs no further approval, however many clients give one at once.
        Raises what the edit and the writer raise, Forbidden for what isn't the client's to change (nothing is written
        then), NotApplied when it was committed and can't come true, Transient when it takes longer than `timeout_s`.
        """
        self.check_allowed()
        assert self._writer is not None  # noqa: S101  # as checked
        refs = frozenset(refs)
        asked = EVERYTHING

        def noted(documents: Documents) -> Sequence[DocumentChange]:
            nonlocal asked
            changes = edit(documents)
            check_within(
                Sight(client, lambda: self.world), changes, documents, lambda ref: self._before(ref, documents)
            )
            asked = asked_by(changes, documents)
            return changes

        with self._ordered(refs if removes else frozenset()):
            boundary("before a change of documents")
            written = self._writer.write(noted, message=message, author=author_of(client), trailers=trailers_of(client))
            if written.changed:
                client.committed(written.revision.digest)
            boundary("after a change of documents")
            try:
                world = self._wait(refs, asked, settle=settle, timeout_s=timeout_s)
            except Transient as error:
                raise Transient(
                    f"{written.revision} is committed, and comes true later. {error}", error.retry_after_s
                ) from None
        if world is None:
            raise Transient(
                f"{written.revision} is committed, and the host isn't as it says after {timeout_s:g} s; "
                "look at the status of what it changes.",
                retry_after_s=10.0,
            )
        if world.source_problem:
            raise SourceError(f"{written.revision} is committed and isn't in force: {world.source_problem}")
        return Made(str(written.revision), world)

    def _before(self, ref: Ref, documents: Documents) -> DocumentData:
        return document_of(ref, documents, self.world, self._line.settings.allowed_folders)

    def newest(self, ref: Ref) -> DocumentData | None:
        """Its document in what is committed, whether or not that is in force. Raises what the writer raises."""
        self.check_allowed()
        assert self._writer is not None  # noqa: S101  # as checked
        found: DocumentData | None = None

        def look(documents: Documents) -> Sequence[DocumentChange]:
            nonlocal found
            found = documents.get(ref)
            return []

        self._writer.write(look, message="", author=author_of(Client("")), trailers={})
        return found

    def settle(self, refs: Iterable[Ref], *, removes: bool = False, timeout_s: float = TIMEOUT_S) -> World:
        """Wait until `refs` are as the revision in force says. Raises NotApplied, Transient as `make` does."""
        refs = frozenset(refs)
        with self._ordered(refs if removes else frozenset()):
            world = self._wait(refs, EVERYTHING, settle=True, timeout_s=timeout_s)
        if world is None:
            names = ", ".join(map(str, sorted(refs)))
            raise Transient(f"{names} took longer than {timeout_s:g} s; look at the status of it.", retry_after_s=10.0)
        return world

    @contextmanager
    def _ordered(self, refs: frozenset[Ref]) -> Iterator[None]:
        with self._lock:
            self._removing |= refs
            self._line.ordered = frozenset(self._removing)
        try:
            yield
        finally:
            with self._lock:
                self._removing -= refs
                self._line.ordered = frozenset(self._removing)

    def _wait(self, refs: frozenset[Ref], asked: Asked, *, settle: bool, timeout_s: float) -> World | None:
        approved: set[str] = set()
        while True:
            since = self._queue.source_changed()
            try:
                return self._passes.wait(
                    lambda world, since=since: world.sequence >= since and _arrived(world, refs, asked, settle),  # type: ignore[misc]
                    timeout_s,
                    patient=timeout_s > TIMEOUT_S,  # a task, whose end is awaited by nobody
                )
            except NotApplied as error:
                if error.reason != NEEDS_APPROVAL or error.digest in approved or not self._is_ordered(error.digest):
                    raise
                approved.add(error.digest)
                self._line.ledger.decisions.approve(error.digest)

    def _is_ordered(self, digest: str) -> bool:
        """True when all that waits for this approval goes because clients have told us so, one by one."""
        world = self._passes.latest
        if world is None:
            return False
        with self._lock:
            ordered = family(world, frozenset(self._removing))
        return all(item.ref in ordered for item in world.plan.blocked if item.digest == digest)


def _arrived(world: World, refs: frozenset[Ref], asked: Asked, settle: bool) -> bool:
    if world.source_problem:
        return True
    found = rollout(world, refs, asked)  # also when not waited for: what is refused at once is told
    return not settle or found is Rollout.COMPLETE


def author_of(client: Client) -> Author:
    """In whose name a client's change is committed. The address is nobody's: what a name has of one is encoded."""
    return Author(
        client.user, f"{quote(client.user[:LONGEST], safe='', errors='surrogatepass')}@{socket.gethostname()}"
    )


def trailers_of(client: Client) -> dict[str, str]:
    """What a client's commit says of its request."""
    said = {"Onggi-Request-Id": client.request_id, "Onggi-Peer": client.peer, "Onggi-Token-Maker": client.maker}
    return {"Onggi-Source": "api"} | {name: value for name, value in said.items() if value}
