"""A web server on loopback that offers what a test tells it to, misbehaviour included."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class WebServer:
    """`files` by path; `redirects` from path to location. `asked` are the paths that somebody wanted."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    offered = WebServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            offered.asked.append(self.path)
            if self.path in offered.redirects:
                self.send_response(302)
                self.send_header("Location", offered.redirects[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = offered.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            try:
                self.wfile.write(content or b"")
            except OSError:
                self.close_connection = True  # the client has seen enough

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    offered.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield offered
    server.shutdown()
    thread.join()
    server.server_close()
