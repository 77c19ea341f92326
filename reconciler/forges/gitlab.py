"""GitLab's API: merge requests and their notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from reconciler.forges.client import ForgeClient, RefusedError
from reconciler.forges.fields import commit_id, number, text
from reconciler.forges.forge import Comment, CommitStatus, Proposal, State
from specs.plain import Json

_STATES = {State.PENDING: "pending", State.SUCCESS: "success", State.FAILURE: "failed"}
_PAGE = {"per_page": 100}


def gitlab_headers(token: str) -> Mapping[str, str]:
    """How GitLab wants its token."""
    return {"PRIVATE-TOKEN": token}


@dataclass(frozen=True, slots=True)
class GitLab:
    """One project."""

    client: ForgeClient
    repository: str
    longest_comment: int = 200_000  # GitLab takes 1,000,000 characters; nobody reads them

    @property
    def _project(self) -> str:
        return f"/projects/{quote(self.repository, safe='')}"

    def me(self) -> str:
        """The token's user."""
        return text(self.client.call("GET", "/user"), "username")

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """POST /projects/{id}/statuses/{commit}."""
        body = {"state": _STATES[status.state], "name": status.context, "description": status.description}
        try:
            self.client.call("POST", f"{self._project}/statuses/{commit}", body)
        except RefusedError as error:
            # GitLab keeps states as a machine and refuses to enter the one it is in, as after a restart of ours.
            if not (error.status == HTTPStatus.BAD_REQUEST and "Cannot transition status" in str(error)):
                raise

    def proposals(self, branch: str) -> Sequence[Proposal]:
        """The open merge requests onto `branch`."""
        found = self.client.pages(f"{self._project}/merge_requests", state="opened", target_branch=branch, **_PAGE)
        return [
            proposal
            for item in found
            if text(item, "target_branch") == branch and (proposal := _proposal(item)) is not None
        ]

    def comments(self, proposal: int) -> Sequence[Comment]:
        """The notes that people and programs wrote, not those of GitLab itself."""
        found = self.client.pages(f"{self._project}/merge_requests/{proposal}/notes", sort="asc", **_PAGE)
        return [
            Comment(number(item, "id"), text(item, "author", "username"), text(item, "body"))
            for item in found
            if not item.get("system")
        ]

    def add_comment(self, proposal: int, body: str) -> None:
        """POST …/notes."""
        self.client.call("POST", f"{self._project}/merge_requests/{proposal}/notes", {"body": body})

    def edit_comment(self, proposal: int, comment: int, body: str) -> None:
        """PUT …/notes/{id}."""
        self.client.call("PUT", f"{self._project}/merge_requests/{proposal}/notes/{comment}", {"body": body})


def _proposal(item: Json) -> Proposal | None:
    index, head = number(item, "iid"), commit_id(item, "sha")
    if not index or not head:
        return None
    own, from_ = number(item, "target_project_id"), number(item, "source_project_id")
    return Proposal(index, head, f"refs/merge-requests/{index}/head", foreign=not own or own != from_)
