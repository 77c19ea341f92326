"""/host/repositories: where the machine's packages come from. Changes are made in the package tool's own files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from api.host.repositories.view import CHANGE, CREATE, REPOSITORY, code_of, repository_view
from api.http.endpoint import Answer, Call, Resource, action, delete, get, post, put
from api.http.refusal import Refusal, bad
from api.http.schema import arr
from reconciler.errors import NotFound, Refused
from reconciler.host.repositories.repository import Repositories as Known
from reconciler.identity.role import Role
from specs.plain import NewJson

_T = TypeVar("_T")


class _Family(Resource):
    tag = "Host"

    def known(self) -> Known:
        found = self.serving.host.repositories()
        if found is None:
            raise Refusal(501, "This host has neither APT's repositories nor DNF's; install one.", "KCHREPOS0014E")
        return found

    @staticmethod
    def asked(ask: Callable[[], _T]) -> _T:
        """The answer, or the refusal in Kimchi's words."""
        try:
            return ask()
        except Refused as refused:
            raise bad(code_of(refused), str(refused)) from None
        except NotFound as error:
            raise Refusal(404, str(error), "KCHREPOS0012E") from None


class Repositories(_Family):
    """All of them."""

    address = "/host/repositories"

    @get(
        "The machine's repositories of packages, by id.", arr(REPOSITORY), filters=True, blocking=True, role=Role.ADMIN
    )
    def read(self, _call: Call) -> list[NewJson]:
        """As its files have them now."""
        return [repository_view(each) for each in self.known().list()]

    @post("Add a repository, enabled, in a file of its own.", REPOSITORY, CREATE, role=Role.ADMIN)
    def make(self, call: Call) -> NewJson:
        """It counts from the next update of the lists of packages on."""
        body, known = call.body, self.known()
        return repository_view(
            self.asked(lambda: known.add(body.get("baseurl"), body.get("config"), repo_id=body.get("repo_id")))
        )


class Repository(_Family):
    """One of them."""

    address = "/host/repositories/{repo_id}"

    @get("A repository of packages.", REPOSITORY, blocking=True, role=Role.ADMIN)
    def read(self, _call: Call, repo_id: str) -> NewJson:
        """As its file has it now."""
        known = self.known()
        return repository_view(self.asked(lambda: known.get(repo_id)))

    @put("Change a repository; what isn't given stays.", REPOSITORY, CHANGE, other={303: REPOSITORY}, role=Role.ADMIN)
    def change(self, call: Call, repo_id: str) -> Answer:
        """303 when it is found under another id from now on: the given one, or one made up from what has changed."""
        body, known = call.body, self.known()
        changed = self.asked(
            lambda: known.change(repo_id, body.get("baseurl"), body.get("config"), new_id=body.get("repo_id"))
        )
        if changed.repo_id != repo_id:
            return Answer(repository_view(changed), 303, location=f"/host/repositories/{changed.repo_id}")
        return Answer(repository_view(changed))

    @delete("Remove a repository from its file.", role=Role.ADMIN)
    def delete(self, _call: Call, repo_id: str) -> None:
        """And the file when nothing is left in it."""
        known = self.known()
        self.asked(lambda: known.delete(repo_id))

    @action("enable", "Let packages come from it.", REPOSITORY, role=Role.ADMIN)
    def enable(self, _call: Call, repo_id: str) -> NewJson:
        """From the next update of the lists of packages on."""
        known = self.known()
        return repository_view(self.asked(lambda: known.enable(repo_id)))

    @action("disable", "Let no package come from it.", REPOSITORY, role=Role.ADMIN)
    def disable(self, _call: Call, repo_id: str) -> NewJson:
        """It stays in its file."""
        known = self.known()
        return repository_view(self.asked(lambda: known.disable(repo_id)))
