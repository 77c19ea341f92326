"""Keeps one comment below a proposal, found again by a mark that readers don't see, and its text up to date."""

from __future__ import annotations

from http import HTTPStatus

from reconciler.forges.client import RefusedError
from reconciler.forges.forge import Comment, Forge

_NOT_OURS = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class PlanComments:
    """The comments of one host. Methods raise what the forge's do."""

    def __init__(self, forge: Forge, host: str) -> None:
        self._forge = forge
        self._mark = f"<!-- onggi plan {host} -->"
        self._me: str | None = None

    def write(self, proposal: int, text: str) -> bool:
        """Have `text` stand there; False when it did already."""
        body = f"{self._mark}\n{text}"
        ours = self._ours(proposal)
        if any(comment.body.replace("\r\n", "\n").rstrip() == body.rstrip() for comment in ours):
            return False
        for comment in ours:
            try:
                self._forge.edit_comment(proposal, comment.id, body)
            except RefusedError as error:
                if error.status not in _NOT_OURS:
                    raise
            else:
                return True
        self._forge.add_comment(proposal, body)
        return True

    def _ours(self, proposal: int) -> list[Comment]:
        """Anybody can write our mark; where the forge tells who we are, only our own comments count."""
        if self._me is None:
            try:
                self._me = self._forge.me()
            except RefusedError as error:
                if error.status == HTTPStatus.UNAUTHORIZED:
                    raise
                self._me = ""  # a token of a program instead of a user
        return [
            comment
            for comment in self._forge.comments(proposal)
            if comment.body.startswith(self._mark) and self._me in ("", comment.author)
        ]
