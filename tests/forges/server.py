"""A forge of the test's own on loopback: it answers as GitHub, GitLab or Gitea do, as far as onggi asks.

It remembers what was written, insists on the token in each forge's own header, cuts its lists into pages, and can be
told to fail.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "a-token-of-the-test"
REPOSITORY = "lab/hosts"
API = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}
HEADS = {"gitlab": "refs/merge-requests/{}/head"}
ME = "onggi-bot"


@dataclass
class Written:
    """A comment on the forge."""

    id: int
    author: str
    body: str


@dataclass
class LocalForge:
    """What is on it. `failures` are the answers to the next requests that write, `(status, headers, body)`."""

    kind: str
    url: str = ""
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[Written]] = field(default_factory=dict)
    statuses: list[tuple[str, str, str, str]] = field(default_factory=list)  # commit, state, context, description
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    page_size: int = 100
    tells_me: bool = True
    foreign_comments: frozenset[int] = frozenset()  # which of the comments the token may not change
    ids: int = 100

    @property
    def api(self) -> str:
        return self.url + API[self.kind]

    def head_ref(self, number: int) -> str:
        return HEADS.get(self.kind, "refs/pull/{}/head").format(number)

    def open_pull(self, number: int, head: str, *, base: str = "main", fork: bool = False) -> None:
        self.comments.setdefault(number, [])
        if self.kind == "gitlab":
            self.pulls[number] = {
                "iid": number, "sha": head, "target_branch": base, "source_branch": "topic",
                "target_project_id": 7, "source_project_id": 8 if fork else 7, "state": "opened",
            }  # fmt: skip
        else:
            repo = {"full_name": "stranger/hosts" if fork else REPOSITORY}
            self.pulls[number] = {
                "number": number, "state": "open",
                "head": {"sha": head, "ref": "topic", "repo": repo},
                "base": {"ref": base, "repo": {"full_name": REPOSITORY}},
            }  # fmt: skip

    def states(self, commit: str) -> list[str]:
        """The states of a commit, oldest first, in GitHub's words."""
        return [state.replace("failed", "failure") for sha, state, _, _ in self.statuses if sha == commit]

    def write(self, number: int, body: str, author: str = ME) -> int:
        self.ids += 1
        self.comments[number].append(Written(self.ids, author, body))
        return self.ids

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET" and path == "/user":
            name = "username" if self.kind == "gitlab" else "login"
            return (200, {name: ME}) if self.tells_me else (403, {"message": "Resource not accessible by integration"})
        found = self._gitlab(method, path, query, body) if self.kind == "gitlab" else self._github(method, path, body)
        return found or (404, {"message": "Not Found"})

    def _github(self, method: str, path: str, body: Any) -> tuple[int, Any] | None:
        base = f"/repos/{REPOSITORY}"
        if method == "POST" and (match := re.fullmatch(rf"{base}/statuses/([0-9a-f]{{40}})", path)):
            if body["state"] not in ("pending", "success", "failure", "error") or len(body["description"]) > 140:
                return 422, {"message": "Validation Failed"}
            self.statuses.append((match[1], body["state"], body["context"], body["description"]))
            return 201, {}
        if method == "GET" and path == f"{base}/pulls":
            return 200, list(self.pulls.values())
        if match := re.fullmatch(rf"{base}/issues/(\d+)/comments", path):
            return self._conversation(method, int(match[1]), body, "user", "login")
        if method == "PATCH" and (match := re.fullmatch(rf"{base}/issues/comments/(\d+)", path)):
            return self._edit(int(match[1]), body)
        return None

    def _gitlab(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any] | None:
        base = "/projects/lab%2Fhosts"
        if method == "POST" and (match := re.fullmatch(rf"{base}/statuses/([0-9a-f]{{40}})", path)):
            if body["state"] not in ("pending", "running", "success", "failed", "canceled"):
                return 400, {"message": "state does not have a valid value"}
            same = [state for sha, state, name, _ in self.statuses if (sha, name) == (match[1], body["name"])]
            if same and same[-1] == body["state"]:
                return 400, {"message": f"Cannot transition status via :enqueue from :{same[-1]}"}
            self.statuses.append((match[1], body["state"], body["name"], body["description"]))
            return 201, {}
        if method == "GET" and path == f"{base}/merge_requests":
            return 200, [pull for pull in self.pulls.values() if pull["target_branch"] == query["target_branch"]]
        if match := re.fullmatch(rf"{base}/merge_requests/(\d+)/notes", path):
            return self._conversation(method, int(match[1]), body, "author", "username")
        if method == "PUT" and (match := re.fullmatch(rf"{base}/merge_requests/\d+/notes/(\d+)", path)):
            return self._edit(int(match[1]), body)
        return None

    def _conversation(self, method: str, number: int, body: Any, who: str, name: str) -> tuple[int, Any] | None:
        if number not in self.comments:
            return None
        if method == "POST":
            return 201, {"id": self.write(number, body["body"])}
        return 200, [{"id": each.id, who: {name: each.author}, "body": each.body} for each in self.comments[number]]

    def _edit(self, identity: int, body: Any) -> tuple[int, Any] | None:
        for written in self.comments.values():
            for each in written:
                if each.id == identity:
                    if identity in self.foreign_comments:
                        return 403, {"message": "Forbidden"}
                    each.body = body["body"]
                    return 200, {}
        return None

    def authorised(self, headers: Any) -> bool:
        if self.kind == "gitlab":
            return bool(headers.get("PRIVATE-TOKEN") == TOKEN)
        return bool(headers.get("Authorization") == ("Bearer " if self.kind == "github" else "token ") + TOKEN)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    forge: LocalForge

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def _any(self) -> None:
        forge, parts = self.forge, urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(parse_qsl(parts.query))
        path = parts.path.removeprefix(API[forge.kind])
        forge.requests.append((self.command, unquote(path)))
        headers: dict[str, str] = {}
        if self.command != "GET" and forge.failures:
            status, headers, raw = forge.failures.pop(0)
            return self._send(status, raw, headers)
        if not parts.path.startswith(API[forge.kind] + "/") or not forge.authorised(self.headers):
            return self._send(401, b'{"message": "Bad credentials"}', headers)
        status, answer = forge.answer(self.command, path, query, json.loads(content) if content else None)
        if isinstance(answer, list):
            page = int(query.get("page", "1"))
            end = page * forge.page_size
            if end < len(answer):
                headers["Link"] = f'<http://elsewhere.invalid/?page={page + 1}>; rel="next"'
            answer = answer[end - forge.page_size : end]
        return self._send(status, json.dumps(answer).encode(), headers)

    do_GET = do_POST = do_PATCH = do_PUT = _any  # noqa: N815  # http.server's own names

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: a client that hangs up early is part of the tests."""


@contextmanager
def running_forge(kind: str) -> Iterator[LocalForge]:
    """An empty forge that answers until the block ends."""
    forge = LocalForge(kind)
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    forge.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
