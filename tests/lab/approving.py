"""A person's yes to all that a plan waits for, in tests whose subject is what happens after it."""

from __future__ import annotations

from reconciler.line.convergence import Convergence
from reconciler.line.line import Line
from reconciler.loop.agent import Agent
from tests.lab.waiting import until


def approve(line: Line) -> list[str]:
    """Say yes to whatever the present plan waits for, and give the digests."""
    digests = sorted({item.digest for item in line.plan().blocked if item.digest})
    for digest in digests:
        line.ledger.decisions.approve(digest)
    return digests


def converge_approved(line: Line) -> Convergence:
    """Converge with a person's yes to what that needs one for."""
    approve(line)
    return line.converge()


def approve_removal(agent: Agent, revision: str) -> None:
    """Say yes to what this revision deletes, once the agent waits for it."""

    def digests() -> set[str]:
        plan = agent.plan
        if plan is None or revision not in plan.revision:
            return set()
        return {item.digest for item in plan.blocked if item.digest}

    for digest in until(digests, 60, "the removal waits for an approval"):
        agent.line.ledger.decisions.approve(digest)
