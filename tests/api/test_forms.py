"""Files in forms: asked for before a byte is stored, and all that are on their way fit on the disk together."""

from __future__ import annotations

import select
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import falcon.asgi
import pytest

from api.errors import add_handlers
from api.http.forms import Wanted, read_form
from api.http.refusal import Refusal, bad
from api.server import Server
from tests.api.live import LiveApi
from tests.lab.waiting import until

MIB = 1 << 20
PIECE, PIECES = 4096, 256
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def begun(file: str, **texts: str) -> bytes:
    """A form up to the file's first byte."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in texts.items()]
    parts.append(f'--b\r\nContent-Disposition: form-data; name="file"; filename="{file}"\r\n\r\n')
    return "".join(parts).encode()


def connected(url: str, method: str, path: str, announced: int, content: bytes) -> socket.socket:
    """A request of which `announced` bytes are to come and `content` does."""
    host, _, port = url.removeprefix("http://").partition(":")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {announced}"]
    lines += [*(f"{name}: {value}" for name, value in FORM.items()), "", ""]
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall("\r\n".join(lines).encode() + content)
    return connection


def status(connection: socket.socket) -> int:
    with connection.makefile("rb") as answer:
        return int(answer.readline().split()[1])


def send_on(connection: socket.socket, enough: Callable[[], bool] = lambda: False) -> None:
    """A few more pieces of the file, for the parser looks a piece behind; then wait for an answer or `enough`."""
    left = iter(range(PIECES))

    def over() -> bool:
        if next(left, None) is not None:
            with suppress(ConnectionError):  # it is answered, and nobody wants the rest
                connection.sendall(bytes(PIECE))
        return enough() or bool(select.select([connection], [], [], 0)[0])

    until(over, 60, "somebody has looked at it")


def answered(url: str, method: str, path: str, announced: int, content: bytes) -> int:
    """What comes back long before the body is through."""
    with closing(connected(url, method, path, announced, content)) as connection:
        if len(content) < announced:
            send_on(connection)
        return status(connection)


class Files:
    """Takes the file `wanted`, of at most 10 MiB, and counts those that are complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.taken = 0

    async def on_post(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        async with read_form(request, {"file"}, self._folder, self._ask) as form:
            self.taken += form.files["file"].length

    async def _ask(self, name: str, texts: Mapping[str, str]) -> Wanted:
        self.asked.append((name, texts))
        if name != "wanted":
            raise bad("", "Nobody wants that.")
        return Wanted(10 * MIB, Refusal(409, "That is too much."))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def url(files: Files) -> Iterator[str]:
    app: falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response] = falcon.asgi.App()
    add_handlers(app)
    app.add_route("/", files)
    server = Server(app, "127.0.0.1:0")
    server.start()
    yield server.url
    server.stop()


def test_whether_a_file_is_wanted_is_asked_before_its_first_byte(url: str, files: Files) -> None:
    assert answered(url, "POST", "/", 5 * MIB, begun("other", name="x")) == 400
    assert files.asked == [("other", {"name": "x"})]


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="file"; filename="\xff.iso"',
        b'Content-Disposition: form-data; name="\xfe\xff"; filename="a.iso"',
        b'Content-Disposition: form-data; name="file"; filename="wanted"\r\nContent-Type: \xff/\xff',
        b"Content-Disposition: form-data; name=file; filename*=utf-8''%FF.iso",
        b"Content-Disposition: form-data; name=file; filename*=nonsense''a.iso",
        b"Content-Disposition: \xff",
    ],
)
def test_a_part_whose_headers_are_no_text_is_refused(url: str, files: Files, head: bytes) -> None:
    content = b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--\r\n"
    assert answered(url, "POST", "/", len(content), content) == 400
    assert (files.asked, files.taken) == ([], 0)


def test_one_that_announces_itself_as_too_long_is_refused_before_its_first_byte(url: str, files: Files) -> None:
    assert answered(url, "POST", "/", 12 * MIB, begun("wanted")) == 409
    assert files.taken == 0


def test_one_that_gets_longer_than_it_may_be_is_cut_off(url: str, files: Files) -> None:
    """Nothing is announced here."""
    content = begun("wanted") + bytes(11 * MIB)
    host, _, port = url.removeprefix("http://").partition(":")
    head = (
        f"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Type: {FORM['Content-Type']}\r\n\r\n"
    )
    with closing(socket.create_connection((host, int(port)), timeout=60)) as connection:
        connection.sendall(head.encode() + f"{len(content):x}\r\n".encode() + content + b"\r\n")
        assert status(connection) == 409
    assert files.taken == 0


def test_all_that_is_on_its_way_has_to_fit_on_the_disk(url: str, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    free = (64 + 10) * MIB  # of which 64 MiB stay
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    with closing(connected(url, "POST", "/", 6 * MIB, begun("wanted"))) as first:
        send_on(first, lambda: len(files.asked) == 1)
        until(
            lambda: answered(url, "POST", "/", 6 * MIB, begun("wanted")) == 503,
            60,
            "a second one of that size is refused before its first byte",
        )
        content = begun("wanted") + bytes(2 * MIB) + b"\r\n--b--\r\n"
        assert answered(url, "POST", "/", len(content), content) == 200, "a smaller one fits beside it"
        first.shutdown(socket.SHUT_WR)
    content = begun("wanted") + bytes(6 * MIB) + b"\r\n--b--\r\n"
    until(
        lambda: answered(url, "POST", "/", len(content), content) == 200, 60, "the room of one that left is free again"
    )
    assert files.taken == 8 * MIB


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/storagepools/nowhere/storagevolumes/x"),
        ("PUT", "/storagepools/default-pool/storagevolumes/x"),
        ("POST", "/storagepools/nowhere/storagevolumes"),
    ],
)
def test_nothing_is_read_for_a_volume_or_a_pool_that_isnt_there(api: LiveApi, method: str, path: str) -> None:
    assert answered(api.url, method, path, 400 * MIB, b"") == 404
