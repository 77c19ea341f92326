"""Who serves https or ftps proves to be the one of the URL, although the connection goes to an address."""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.errors import Transient
from reconciler.hypervisor.transfer.downloads import download
from reconciler.network.addresses import Networks

HERE = Networks.of(["127.0.0.0/8", "::1"])
CONTENT = b"content" * 100_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the name `localhost`, and not for its address; the file vouches for itself."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", folder / "key.pem", "-out", folder / "server.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "server.pem"


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return made


@pytest.fixture
def https_port(context: ssl.SSLContext) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that doesn't believe us leaves."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def ftps(context: ssl.SSLContext) -> Iterator[tuple[int, list[str]]]:
    """One session of RFC 4217; `said` is what was asked under TLS."""
    said: list[str] = []
    listening, data = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))

    def serve() -> None:
        wire, _ = listening.accept()
        wire.sendall(b"220 hello\r\n")
        assert wire.recv(100) == b"AUTH TLS\r\n"
        wire.sendall(b"234 go on\r\n")
        with context.wrap_socket(wire, server_side=True) as control:
            while line := control.recv(1000).decode():
                said.append(line.strip())
                match line.split()[0]:
                    case "EPSV":
                        control.sendall(b"500 no\r\n")
                    case "PASV":  # somebody else's address, which isn't gone to
                        high, low = divmod(data.getsockname()[1], 256)
                        control.sendall(f"227 Passive (10,0,0,1,{high},{low})\r\n".encode())
                    case "USER":
                        control.sendall(b"331 password\r\n")
                    case "SIZE":
                        control.sendall(f"213 {len(CONTENT)}\r\n".encode())
                    case "RETR":
                        control.sendall(b"150 here\r\n")
                        with context.wrap_socket(data.accept()[0], server_side=True) as sending:
                            sending.sendall(CONTENT)
                        control.sendall(b"226 done\r\n")
                    case "PASS":
                        control.sendall(b"230 in\r\n")
                    case _:
                        control.sendall(b"200 fine\r\n")

    def run() -> None:
        with suppress(OSError):
            serve()

    thread = threading.Thread(target=run)
    thread.start()
    with listening, data:
        yield listening.getsockname()[1], said
        thread.join(60)


def fetch(url: str) -> bytes:
    with download(url, threading.Event(), HERE) as offered:
        return b"".join(offered.chunks)


def test_https_is_for_whom_the_authorities_vouch(
    https_port: int, certificate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Transient, match="no server gives it there"):
        fetch(f"https://localhost:{https_port}/image")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(f"https://localhost:{https_port}/image") == CONTENT
    with pytest.raises(Transient, match="no server gives it there"):
        fetch(f"https://127.0.0.1:{https_port}/image")  # it isn't for this name
    assert "IP address mismatch" in caplog.text  # what is wrong is for the log


def test_ftps_is_for_whom_the_authorities_vouch_before_anybody_logs_in(
    context: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ftps(context) as (port, said), pytest.raises(Transient, match="no server gives it there"):
        fetch(f"ftps://maria:s3cret@localhost:{port}/image")
    assert said == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with ftps(context) as (port, said):
        assert fetch(f"ftps://maria:s3cret@localhost:{port}/image") == CONTENT
    assert "PROT P" in said
    with ftps(context) as (port, said), pytest.raises(Transient, match="no server gives it there"):
        fetch(f"ftps://maria:s3cret@127.0.0.1:{port}/image")
    assert said == []
