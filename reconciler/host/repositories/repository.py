"""What a package repository is, whatever the tool, and what may be asked of a host's list of them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.errors import NotFound, Refused
from reconciler.host.repositories.checking import identifier

DEB: Final = "deb"
YUM: Final = "yum"

Config = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository. A password in `baseurl` is shown as `…`.

    `config` of APT: dist (text), comps (list of text). Of DNF: repo_name, mirrorlist, metalink, gpgkey (text, empty
    when there is none) and gpgcheck (bool).
    """

    repo_id: str
    baseurl: str
    enabled: bool
    config: Config = field(default_factory=dict)


class Repositories(ABC):
    """The repositories of one host. Every call reads the files anew; calls from several threads take turns.

    Raises Refused for input that can't be, NotFound for an unknown id, Terminal when a file can't be written. A
    file that can't be read is logged and hides no other.
    """

    tool: str  # DEB or YUM

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def list(self) -> tuple[Repository, ...]:
        """All of them, by id."""
        with self._lock:
            return tuple(sorted(self._all(), key=lambda each: each.repo_id))

    def get(self, repo_id: str) -> Repository:
        """One of them."""
        for repository in self.list():
            if repository.repo_id == repo_id:
                return repository
        raise unknown(repo_id)

    def add(self, baseurl: str | None, config: Config | None = None, *, repo_id: str | None = None) -> Repository:
        """Add one, enabled, in a file of its own. The id is made up from the address when none is given."""
        with self._lock:
            return self._add(baseurl, config, repo_id)

    def change(
        self, repo_id: str, baseurl: str | None = None, config: Config | None = None, *, new_id: str | None = None
    ) -> Repository:
        """Change what is given and keep the rest; a text that is empty removes what may be missing.

        The id that comes back may differ without a `new_id`, too: where the file holds none, it is made up from the
        address.
        """
        with self._lock:
            if new_id in (None, repo_id):
                return self._change(repo_id, baseurl, config, None)
            wanted = identifier(new_id)
            if any(each.repo_id == wanted for each in self.list()):
                raise Refused(
                    f"There is a repository {wanted!r} already; choose another id.", reason="RepositoryExists"
                )
            return self._change(repo_id, baseurl, config, wanted)

    def enable(self, repo_id: str) -> Repository:
        """Use it as a source of packages. Refused (AlreadyEnabled) when it is one."""
        with self._lock:
            if self.get(repo_id).enabled:
                raise Refused(f"The repository {repo_id!r} is enabled already; nothing to do.", reason="AlreadyEnabled")
            return self._switch(repo_id, True)

    def disable(self, repo_id: str) -> Repository:
        """Keep it, but don't use it. Refused (AlreadyDisabled) when it isn't used."""
        with self._lock:
            if not self.get(repo_id).enabled:
                raise Refused(
                    f"The repository {repo_id!r} is disabled already; nothing to do.", reason="AlreadyDisabled"
                )
            return self._switch(repo_id, False)

    def delete(self, repo_id: str) -> None:
        """Remove it from its file, and the file when nothing is left in it."""
        with self._lock:
            self._delete(repo_id)

    @abstractmethod
    def _all(self) -> Iterable[Repository]: ...

    @abstractmethod
    def _add(self, baseurl: str | None, config: Config | None, repo_id: str | None) -> Repository: ...

    @abstractmethod
    def _change(self, repo_id: str, baseurl: str | None, config: Config | None, new_id: str | None) -> Repository: ...

    @abstractmethod
    def _switch(self, repo_id: str, enabled: bool) -> Repository: ...

    @abstractmethod
    def _delete(self, repo_id: str) -> None: ...


def unknown(repo_id: str) -> NotFound:
    """What is said when there is no such repository."""
    return NotFound(f"There is no package repository {repo_id!r}; the list of repositories names those that there are.")
