"""Whether the repository that is followed can be read, as people are told it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.desired.state import DesiredState

UNREADABLE: Final = "Unreadable"  # what is here of it can't be read
NOT_TRUSTED: Final = "NotTrusted"  # its head isn't signed as it has to be
NOT_ANSWERING: Final = "NotAnswering"  # a remote that can't be asked, or says that what is followed isn't there
EMPTY: Final = "Empty"  # it can be read, and holds no document any more
REWRITTEN: Final = "Rewritten"  # it is followed; what its new history lacks waits for a person


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source that isn't as it should be. `message` says what is wrong and what stays in force meanwhile; `since` is
    when it was told first (RFC 3339), empty until then.
    """

    reason: str
    message: str
    since: str = ""

    @property
    def is_followed(self) -> bool:
        """True when its newest revision is in force all the same."""
        return self.reason == REWRITTEN


def source_state(
    desired: DesiredState | None, *, unreadable: str, untrusted: bool, unanswered: str, owns: bool, rewritten: str = ""
) -> SourceState | None:
    """What is wrong with the source; None when nothing is.

    `unreadable` is why the newest revision that is here couldn't be read (`untrusted`: for want of a signature),
    `unanswered` why the remote couldn't be asked for a newer one; `owns` tells that there is something to lose.
    `rewritten` is the commit that was in force before a rewritten history, as long as something of it is undecided.
    """
    in_force = f"{desired.revision} stays in force" if desired is not None else "no revision is in force"
    if unreadable:
        return SourceState(NOT_TRUSTED if untrusted else UNREADABLE, _sentence(unreadable, in_force))
    if unanswered:
        return SourceState(NOT_ANSWERING, _sentence(unanswered, in_force))
    if desired is not None and not desired.prunable and owns:
        message = (
            f"{desired.revision} holds no document that can be used, and nothing is removed for that; what was made "
            "from earlier revisions stays as it is"
        )
        return SourceState(EMPTY, message)
    if desired is not None and rewritten:
        message = (
            f"the history of {desired.revision.branch} was rewritten: {rewritten[:12]} was in force, and "
            f"{desired.revision} doesn't build on it; it is followed, and what it lacks is removed only after an "
            "approval, which onggi plan shows"
        )
        return SourceState(REWRITTEN, message)
    return None


def _sentence(problem: str, in_force: str) -> str:
    return f"{problem.rstrip('.')}; {in_force}"
