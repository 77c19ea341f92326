"""GitHub's API, and Gitea's and Forgejo's, which is made after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.forges.client import ForgeClient
from reconciler.forges.fields import commit_id, number, text
from reconciler.forges.forge import Comment, CommitStatus, Proposal
from specs.plain import Json


def github_headers(token: str) -> Mapping[str, str]:
    """How GitHub wants its token."""
    return {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}


def gitea_headers(token: str) -> Mapping[str, str]:
    """How Gitea and Forgejo want theirs."""
    return {"Authorization": f"token {token}"}


@dataclass(frozen=True, slots=True)
class GitHubShaped:
    """`page_size` is named by each forge in its own way; `filters` narrow the list of pull requests."""

    client: ForgeClient
    repository: str
    page_size: Mapping[str, int]
    filters: bool  # the list of pull requests can be asked for one branch
    longest_comment: int = 60_000  # GitHub takes 65,536 characters

    def me(self) -> str:
        """The token's user."""
        return text(self.client.call("GET", "/user"), "login")

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """POST /repos/{owner}/{repo}/statuses/{commit}."""
        body = {"state": status.state.value, "context": status.context, "description": status.description}
        self.client.call("POST", f"/repos/{self.repository}/statuses/{commit}", body)

    def proposals(self, branch: str) -> Sequence[Proposal]:
        """The open pull requests onto `branch`."""
        query: dict[str, str | int] = {"state": "open", **self.page_size}
        if self.filters:
            query["base"] = branch
        pulls = self.client.pages(f"/repos/{self.repository}/pulls", **query)
        return [
            found for pull in pulls if text(pull, "base", "ref") == branch and (found := _proposal(pull)) is not None
        ]

    def comments(self, proposal: int) -> Sequence[Comment]:
        """The comments of the conversation, not those beside the code."""
        found = self.client.pages(f"/repos/{self.repository}/issues/{proposal}/comments", **self.page_size)
        return [Comment(number(item, "id"), text(item, "user", "login"), text(item, "body")) for item in found]

    def add_comment(self, proposal: int, body: str) -> None:
        """POST …/issues/{number}/comments."""
        self.client.call("POST", f"/repos/{self.repository}/issues/{proposal}/comments", {"body": body})

    def edit_comment(self, proposal: int, comment: int, body: str) -> None:  # noqa: ARG002  # others need the proposal
        """PATCH …/issues/comments/{id}."""
        self.client.call("PATCH", f"/repos/{self.repository}/issues/comments/{comment}", {"body": body})


def _proposal(pull: Json) -> Proposal | None:
    """None for one that isn't whole."""
    index, head = number(pull, "number"), commit_id(pull, "head", "sha")
    if not index or not head:
        return None
    # A deleted fork has no repository any more, and is a fork still.
    own, from_ = text(pull, "base", "repo", "full_name"), text(pull, "head", "repo", "full_name")
    return Proposal(index, head, f"refs/pull/{index}/head", foreign=not own or own != from_)
