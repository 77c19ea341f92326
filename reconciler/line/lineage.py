"""What one run knows of the runs before it about its source: which repository it said it was, and which commit counted.

A repository that loses its onggi.yaml isn't another one, and a history that was rewritten isn't a wish to delete.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import DesiredState
from reconciler.errors import OnggiError
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.source_store import Followed
from reconciler.planning.approval import NEEDS_APPROVAL
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.source.files import REPOSITORY_FILE
from reconciler.source.repository_file import gone_problem
from reconciler.source.source import Source
from reconciler.source.tree import SourceTree
from specs.reference import Ref
from specs.scope import Scope


class Lineage:
    """Of one source, as the ledger remembers it. A ledger that is open for reading is only asked."""

    def __init__(self, ledger: Ledger, source: Source) -> None:
        self._ledger = ledger
        self._source = source
        self._named: tuple[SourceTree, SourceTree] | None = None
        self._judged: tuple[DesiredState, DesiredState] | None = None
        self._scope: Scope | None = None  # what was read last
        self.undecided = ""  # the commit before a rewritten history, while deletions because of that wait for a person

    def named(self, tree: SourceTree) -> tuple[SourceTree, str]:
        """The tree, with a problem in it when its onggi.yaml is gone; and the repository's id."""
        key = self._source.key
        if tree.repository_id:
            return tree, tree.repository_id
        declared = self._ledger.sources.followed(key, tree.revision.branch).repository_id
        if not declared or any(problem.path == REPOSITORY_FILE for problem in tree.problems):
            return tree, declared or self._ledger.sources.repository_id(key)
        if self._named is None or self._named[0] is not tree:
            problem = gone_problem(REPOSITORY_FILE, declared, str(tree.revision))
            self._named = tree, replace(tree, problems=(*tree.problems, problem))
        return self._named[1], declared

    def judged(self, desired: DesiredState) -> DesiredState:
        """The same, told of a history that doesn't hold any more what was followed before."""
        self._scope = desired.scope
        since = self._ledger.sources.followed(self._source.key, desired.revision.branch).commit
        if not since or self._source.builds_on(since, desired.revision.digest):
            return desired
        if self._judged is None or self._judged[0] is not desired or self._judged[1].rewritten != since:
            self._judged = desired, replace(desired, rewritten=since)
        return self._judged[1]

    def follow(self, desired: DesiredState, plan: Plan) -> None:
        """From now on this revision is what counts, unless it is a rewritten one whose deletions wait for a person."""
        self.undecided = desired.rewritten if desired.rewritten and _undecided(desired, plan) else ""
        if self.undecided:
            return
        commit = self._source.shared(desired.revision.digest)
        key = self._source.key
        declared = desired.repository_id if desired.repository_id != self._ledger.sources.repository_id(key) else ""
        self._ledger.sources.follow(key, desired.revision.branch, Followed(commit, declared))

    def made_for_client(self, ref: Ref, parent: Ref | None = None) -> Owned:
        """The ledger's entry of a volume whose document comes once it is whole."""
        facts = {Fact.SCOPE.value: self._scope.to_text()} if self._scope is not None else {}
        return Owned(ref, "", parent=parent, facts=facts)

    def is_of(self, desired: DesiredState, ref: Ref) -> bool:
        """False for what was made for documents that aren't looked at here."""
        entry = self._ledger.ownership.all().get(ref)
        return entry is None or entry.scope is None or entry.scope.agrees(desired.scope)

    def asks_for(self, desired: DesiredState, ref: Ref) -> bool | None:
        """Whether any document wants this volume; None when not every one can be read, or it is to be left alone."""
        if any(ref == each or ref in resource.depends_on for each, resource in desired.resources.items()):
            return True
        if not desired.prunable or desired.held or desired.held_paths or ref in self._ledger.decisions.suspended():
            return None
        if not self.is_of(desired, ref):
            return None
        try:
            # What an earlier run has pushed just before its end, only the remote knows.
            is_news = not self._source.answered or self._source.read().revision != desired.revision
        except OnggiError:
            return None
        return None if is_news else False


def _undecided(desired: DesiredState, plan: Plan) -> bool:
    """True while something that isn't declared any more is held back, or may be and can't be told."""
    if desired.held or desired.held_paths or not desired.prunable:
        return True
    return any(item.reason == NEEDS_APPROVAL and item.ref not in desired.resources for item in plan.blocked)
