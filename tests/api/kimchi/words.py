"""The original's API as its clients speak it: a method, an address, a body; an answer, or a status and a code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.api.live import LiveApi


@dataclass(frozen=True)
class Kimchi:
    """One client. `folder` holds the host's pool (`pool`) and its ISO images (`isos`) where the test asked for them."""

    api: LiveApi
    folder: Path

    def send(self, method: str, uri: str, body: Any = None) -> httpx.Response:
        """The answer, whatever it is. A redirect isn't followed."""
        return self.api.client.request(method, uri, **({} if body is None else {"json": body}))

    def read(self, uri: str, **query: Any) -> Any:
        """What a GET tells."""
        answer = self.api.client.get(uri, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, uri: str, **query: Any) -> list[str]:
        """Of a list's members."""
        return [str(each["name"]) for each in self.read(uri, **query)]

    def write(self, method: str, uri: str, body: Any = None, status: int = 200) -> dict[str, Any]:
        """What a write answers. What it has made or changed reads the same afterwards."""
        answer = self.send(method, uri, body)
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def task(self, uri: str, body: Any = None) -> dict[str, Any]:
        """The end of a task that a POST has begun."""
        ended = self.api.task(self.send("POST", uri, body))
        assert ended["status"] == "finished", ended
        return ended

    def refusal(self, method: str, uri: str, body: Any = None) -> str:
        """How a request is refused: `400 KCHVM0001E`."""
        answer = self.send(method, uri, body)
        assert answer.is_error, answer.text
        assert set(answer.json()) == {"code", "reason"}
        return f"{answer.status_code} {str(answer.json()['reason']).partition(':')[0]}"
