"""Where documents come from: a repository, one of its branches and a folder of it. Two scopes never share an object.

Whoever reads one scope knows nothing of what another one declares, so that nothing that is missing in it says anything
about the other's objects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Scope:
    """`branch` is empty where there is none or nobody said which; `path` None where nobody said which, "" for all."""

    repository_id: str
    branch: str = ""
    path: str | None = None

    def __str__(self) -> str:
        where = self.place
        return f"{where} of the repository {self.repository_id}" if where else f"the repository {self.repository_id}"

    @property
    def place(self) -> str:
        """Where in the repository, for people: `branch main, path vms`. Empty where nobody said so."""
        parts = [f"branch {self.branch}"] if self.branch else []
        if self.path is not None:
            parts.append(f"path {self.path}" if self.path else "all paths")
        return ", ".join(parts)

    def beside(self, other: Scope) -> str:
        """This scope for people who know the other one: without the repository's id when that is the same."""
        return self.place if self.repository_id == other.repository_id and self.place else str(self)

    @property
    def said(self) -> bool:
        """False for what was written before branches and folders were."""
        return self.path is not None

    def agrees(self, other: Scope) -> bool:
        """True unless the two certainly differ: what one of them doesn't say is no difference."""
        return (
            self.repository_id == other.repository_id
            and (not self.branch or not other.branch or self.branch == other.branch)
            and (self.path is None or other.path is None or self.path == other.path)
        )

    def holds(self, other: Scope) -> bool:
        """True when everything that the other scope declares lies in this one, too."""
        if self.path is None or other.path is None or not self.agrees(Scope(other.repository_id, other.branch)):
            return False
        return self.path in ("", other.path) or other.path.startswith(f"{self.path}/")

    def completed(self, other: Scope | None) -> Scope:
        """This scope, with what it doesn't say taken from another one of the same repository."""
        if other is None or other.repository_id != self.repository_id:
            return self
        return Scope(
            self.repository_id, self.branch or other.branch, self.path if self.path is not None else other.path
        )

    def to_text(self) -> str:
        """As `scope_from` reads it."""
        return _to_text(self)


# Nearly all objects of a host are of the same few.
@lru_cache(maxsize=64)
def _to_text(scope: Scope) -> str:
    return json.dumps([scope.repository_id, scope.branch, scope.path])


@lru_cache(maxsize=64)
def scope_from(text: str) -> Scope | None:
    """What `to_text` wrote; None for anything else."""
    try:
        repository_id, branch, path = json.loads(text)
    except (ValueError, TypeError):
        return None
    return Scope(str(repository_id), str(branch), None if path is None else str(path))
