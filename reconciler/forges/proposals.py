"""Shows in each open pull request what it would do to this host, and does none of it.

A proposal is fetched, merged in memory and planned against the last snapshot; its plan goes into one comment and one
status. What comes from a fork was written by anybody, and is planned only when the settings say so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from reconciler.errors import Conflict, OnggiError, Terminal
from reconciler.forges.comments import PlanComments
from reconciler.forges.commit_status import proposal_status
from reconciler.forges.forge import CommitStatus, Forge, Proposal, State
from reconciler.observed.snapshot import Snapshot
from reconciler.planning.plan import Blocked, Plan
from reconciler.reporting.plan_markdown import plan_markdown
from reconciler.source.proposed import ProposedChanges
from reconciler.source.tree import SourceTree
from reconciler.status.one_pass import Pass

log = logging.getLogger("onggi.forge")

_MENDED_BY_PEOPLE_S: Final = 600.0
_SHOWN_OF_ID: Final = 12


Rehearse = Callable[[SourceTree, Snapshot], Pass]  # plans a tree that isn't the source's, without touching anything


@dataclass(frozen=True, slots=True)
class _Done:
    commits: tuple[str, str]  # the proposal's head and the branch's
    again_at: float  # in monotonic seconds; infinity when it went well


class Proposals:
    """`run` in one thread; `look` and `close` from any."""

    def __init__(
        self,
        forge: Forge,
        changes: ProposedChanges,
        rehearse: Rehearse,
        latest: Callable[[], Pass | None],
        *,
        host: str,
        forks: bool,
        interval_s: float,
    ) -> None:
        self._forge = forge
        self._changes = changes
        self._rehearse = rehearse
        self._latest = latest
        self._host = host
        self._forks = forks
        self._interval_s = interval_s
        self._comments = PlanComments(forge, host)
        self._done: dict[int, _Done] = {}
        self._unstated: set[int] = set()  # whose comment is written and whose status isn't
        self._problem = ""
        self._wanted = threading.Event()
        self._closed = threading.Event()

    def look(self) -> None:
        """Look soon: something was pushed."""
        self._wanted.set()

    def close(self) -> None:
        """Let `run` end."""
        self._closed.set()
        self._wanted.set()

    def run(self) -> None:
        """Look at intervals, and when told to, until `close`."""
        while not self._closed.is_set():
            self._wanted.clear()
            try:
                self.round()
                self._problem = ""
            except OnggiError as error:
                self._complain(error)
            except Exception:  # a forge of any make must not end the thread
                if not self._closed.is_set():
                    log.exception("the pull requests couldn't be looked at; it is tried again")
            self._wanted.wait(self._interval_s)
            self._closed.wait(min(self._interval_s, 1.0))  # many hooks make one look

    def round(self) -> None:
        """Every open proposal that isn't shown as it is now. One that fails holds up no other. Raises OnggiError when
        they can't be listed.
        """
        now = self._latest()
        if now is None or now.desired.revision.algorithm != "sha1":
            return
        branch, base = now.desired.revision.branch, now.desired.revision.digest
        open_now = self._forge.proposals(branch)
        self._done = {each.number: self._done[each.number] for each in open_now if each.number in self._done}
        for proposal in open_now:
            if self._closed.is_set():
                return
            if proposal.foreign and not self._forks:
                log.debug("pull request %d comes from a fork, and isn't planned", proposal.number)
                continue
            done = self._done.get(proposal.number)
            if done is not None and done.commits == (proposal.head, base) and time.monotonic() < done.again_at:
                continue
            again_at = self._show(proposal, now)
            self._done[proposal.number] = _Done((proposal.head, base), again_at)

    def _show(self, proposal: Proposal, now: Pass) -> float:
        """Plan it and tell. The time at which to try again."""
        try:
            status, text = self._told(proposal, now)
            if self._comments.write(proposal.number, text):
                self._unstated.add(proposal.number)
            if proposal.number in self._unstated:  # a comment that is still true has its status beside it
                self._forge.set_status(proposal.head, status)
                self._unstated.discard(proposal.number)
                log.info("planned pull request %d: %s", proposal.number, status.description)
        except Terminal as error:
            log.warning("pull request %d isn't planned: %s", proposal.number, error)
            return time.monotonic() + _MENDED_BY_PEOPLE_S
        except OnggiError as error:
            if not self._closed.is_set():
                log.warning("pull request %d isn't planned yet: %s", proposal.number, error)
            return 0.0
        except Exception:  # what one proposal can make go wrong must not hide the others
            if not self._closed.is_set():
                log.exception("pull request %d can't be planned", proposal.number)
            return time.monotonic() + _MENDED_BY_PEOPLE_S
        return float("inf")

    def _told(self, proposal: Proposal, now: Pass) -> tuple[CommitStatus, str]:
        """The line beside its commit, and the text of its comment."""
        context = f"onggi/{self._host}/plan"
        title = f"### onggi: plan for {self._host}\n\n"
        revision = now.desired.revision
        commits = f"`{proposal.head[:_SHOWN_OF_ID]}` merged into `{revision.digest[:_SHOWN_OF_ID]}`"
        try:
            tree = self._changes.merged(revision.branch, proposal.ref, proposal.head)
        except Conflict as error:
            return CommitStatus(State.FAILURE, context, str(error)), f"{title}**No plan: {error}**\n\n_{commits}_\n"
        proposed = self._rehearse(tree, now.snapshot)
        plan, problems = _not_approvable(proposed.plan), proposed.desired.problems
        end = f"\n_{commits}. Planned against the host as it is now; nothing of it is applied before it is merged._\n"
        room = self._forge.longest_comment - len(title.encode()) - len(end.encode()) - 200
        text = plan_markdown(plan, problems, longest=room)
        return proposal_status(plan, len(problems), context), f"{title}{text}{end}"

    def _complain(self, error: OnggiError) -> None:
        if str(error) != self._problem and not self._closed.is_set():
            log.warning("the pull requests can't be looked at: %s", error)
        self._problem = str(error)


def _not_approvable(plan: Plan) -> Plan:
    """An approval is bound to a revision of the branch, and this one only exists for looking at it."""
    return replace(plan, blocked=tuple(map(_unnamed, plan.blocked)), staged=tuple(map(_unnamed, plan.staged)))


def _unnamed(item: Blocked) -> Blocked:
    if not item.digest:
        return item
    return replace(item, message=item.message.replace(item.digest, "DIGEST, once it is merged"), digest="")
