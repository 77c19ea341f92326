"""What a URL offers becomes a volume when it is whole, right and harmless; else nothing is left of it."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.errors import Cancelled, OnggiError, Terminal, Transient, Unsupported
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.storagevolume.images import check_download
from reconciler.planning.operations import CreateVolume, Start
from specs.binding import parse
from specs.reference import Ref
from tests.hypervisor.conftest import empty_volume, folder_pool
from tests.lab.ports import free_port

CONTENT = os.urandom(3_000_017)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Answers each path as a test says, on the loopback only."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)

    def url(self, path: str, answer: Answer) -> str:
        self.answers[f"/{path}"] = answer
        return f"http://127.0.0.1:{self.port}/{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.answers[self.path.partition("?")[0]](self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    found = Server(listening.server_port)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield found
    listening.shutdown()
    listening.server_close()


def offering(content: bytes, *, announced: int | None = None, status: int = 200, **headers: str) -> Answer:
    """Sends `content` with a Content-Length of its own or an `announced` one."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(content) if announced is None else announced))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(content)
        request.close_connection = True

    return answer


def without_length(content: bytes) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(content)
        request.close_connection = True

    return answer


def redirect(to: str) -> Answer:
    return offering(b"", status=302, Location=to)


def download(pool: str, url: str, *, sha256: str = "", form: str = "raw", gib: int = 0) -> CreateVolume:
    return CreateVolume(
        Ref.volume(pool, "image"), empty_volume(pool, "image", form=form, gib=gib).xml, None, url, sha256
    )


def nothing_left(hypervisor: Hypervisor, pool: str, folder: Path) -> bool:
    objects = hypervisor.observe(None, None).objects
    return list(folder.iterdir()) == [] and Ref.volume(pool, "image") not in objects


def image(folder: Path, name: str, *options: str) -> bytes:
    path = folder / name
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, "64M"], check=True)
    return path.read_bytes()


def test_the_bytes_arrive_and_progress_is_told(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server
) -> None:
    told: list[tuple[int, int | None]] = []
    operation = download(pool, server.url("disk.img", offering(CONTENT)), sha256=SHA256.upper())
    qemu_host.perform(operation, progress=lambda done, total: told.append((done, total)))
    assert (dir_pool_folder / "image").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    details = qemu_host.observe(None, None).objects[operation.ref].details
    assert (details["capacity"], details["format"]) == (len(CONTENT), "raw")


def test_a_server_that_tells_no_length(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server) -> None:
    qemu_host.perform(download(pool, server.url("disk.img", without_length(CONTENT)), sha256=SHA256))
    assert (dir_pool_folder / "image").read_bytes() == CONTENT


def test_redirects_are_followed(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server) -> None:
    target = server.url("disk.img", offering(CONTENT))
    qemu_host.perform(download(pool, server.url("latest", redirect(target)), sha256=SHA256))
    assert (dir_pool_folder / "image").read_bytes() == CONTENT


def test_a_qcow2_image_is_recognised_and_grown_to_its_declared_size(
    qemu_host: Hypervisor, pool: str, tmp_path: Path, server: Server
) -> None:
    url = server.url("disk.qcow2", offering(image(tmp_path, "disk.qcow2")))
    qemu_host.perform(download(pool, url, form="qcow2", gib=1))
    details = qemu_host.observe(None, None).objects[Ref.volume(pool, "image")].details
    assert (details["format"], details["capacity"]) == ("qcow2", 1 << 30)


@pytest.mark.parametrize(
    ("case", "kind", "match"),
    [
        ("wrong digest", Terminal, r"has the sha256 [0-9a-f]{64}, but 0{64} is declared"),
        ("truncated", Transient, r"can't be downloaded now|broke off"),
        ("missing", Terminal, r"answers 404; check the URL"),
        ("overloaded", Transient, r"answers 503"),
        ("redirect to a file", Terminal, r"neither http nor https"),
        ("redirect in a circle", Terminal, r"in a circle"),
        ("compressed transfer", Terminal, r"only comes compressed"),
        ("compressed file", Terminal, r"compressed \(gzip\); unpack it"),
        ("wrong format", Terminal, r"is a qcow2 image, not raw; declare `format: qcow2`"),
        ("declared qcow2", Terminal, r"is a raw image, not qcow2"),
        ("foreign backing file", Terminal, r"/etc/passwd"),
        ("data elsewhere", Terminal, r"keeps its data in another file"),
        ("too large", Terminal, r"the pool has room for"),
        ("nobody there", Transient, r"can't be downloaded now"),
        ("other scheme", Terminal, r"only http, https, ftp and ftps"),
    ],
)
def test_what_is_not_whole_right_and_harmless_leaves_nothing(
    case: str,
    kind: type[OnggiError],
    match: str,
    qemu_host: Hypervisor,
    pool: str,
    dir_pool_folder: Path,
    tmp_path: Path,
    server: Server,
) -> None:
    evil = [*["-b", "/etc/passwd", "-F", "raw", "-u"]]
    apart = ["-o", f"data_file={tmp_path / 'elsewhere'}"]
    operation = {
        "wrong digest": lambda: download(pool, server.url("a", offering(CONTENT)), sha256="0" * 64),
        "truncated": lambda: download(pool, server.url("a", offering(CONTENT[:-7], announced=len(CONTENT)))),
        "missing": lambda: download(pool, server.url("a", offering(b"no", status=404))),
        "overloaded": lambda: download(pool, server.url("a", offering(b"no", status=503))),
        "redirect to a file": lambda: download(pool, server.url("a", redirect("file:///etc/passwd"))),
        "redirect in a circle": lambda: download(pool, server.url("a", redirect("/a"))),
        "compressed transfer": lambda: download(pool, server.url("a", offering(b"x" * 99, Content_Encoding="gzip"))),
        "compressed file": lambda: download(pool, server.url("a", offering(b"\x1f\x8b" + CONTENT))),
        "wrong format": lambda: download(pool, server.url("a", offering(image(tmp_path, "a")))),
        "declared qcow2": lambda: download(pool, server.url("a", offering(b"\0" * 99)), form="qcow2"),
        "foreign backing file": lambda: download(
            pool, server.url("a", offering(image(tmp_path, "a", *evil))), form="qcow2"
        ),
        "data elsewhere": lambda: download(pool, server.url("a", offering(image(tmp_path, "a", *apart))), form="qcow2"),
        "too large": lambda: download(pool, server.url("a", offering(b"", announced=1 << 60))),
        "nobody there": lambda: download(pool, f"http://127.0.0.1:{free_port()}/a"),
        "other scheme": lambda: download(pool, "file:///etc/passwd"),
    }[case]()
    with pytest.raises(kind, match=match):
        qemu_host.perform(operation)
    assert nothing_left(qemu_host, pool, dir_pool_folder)


def test_no_more_than_what_was_announced_is_taken(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server
) -> None:
    url = server.url("a", offering(CONTENT, announced=1000))
    qemu_host.perform(download(pool, url))
    assert (dir_pool_folder / "image").read_bytes() == CONTENT[:1000]


def test_a_download_that_hangs_ends_soon_when_the_agent_stops(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server
) -> None:
    stop, hanging, over = threading.Event(), threading.Event(), threading.Event()

    def hang(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(CONTENT[:2_000_000])
        hanging.set()
        over.wait(120)

    url = server.url("a", hang)
    threading.Thread(target=lambda: (hanging.wait(60), stop.set()), daemon=True).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        qemu_host.perform(download(pool, url), stop=stop)
    assert time.monotonic() - began < 30  # a server may be silent for a minute
    over.set()
    assert nothing_left(qemu_host, pool, dir_pool_folder)


def test_a_url_is_told_without_its_password(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Transient) as caught:
        qemu_host.perform(download(pool, f"http://me:hunter22@127.0.0.1:{free_port()}/a?token=s3cr3t"))
    assert "hunter22" not in str(caught.value) + caplog.text
    assert "s3cr3t" not in str(caught.value) + caplog.text


def test_others_are_not_kept_out_of_the_pool_by_a_download(
    qemu_host: Hypervisor, pool: str, dir_pool_folder: Path, server: Server
) -> None:
    half, go_on = threading.Event(), threading.Event()

    def slowly(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(CONTENT[:2_000_000])
        half.set()
        go_on.wait(120)
        request.wfile.write(CONTENT[2_000_000:])

    operation = download(pool, server.url("a", slowly), sha256=SHA256)
    downloading = threading.Thread(target=qemu_host.perform, args=(operation,))
    downloading.start()
    assert half.wait(60)
    for name in ("other", "another"):
        qemu_host.perform(empty_volume(pool, name))
    snapshot = qemu_host.observe(None, None)
    assert Ref.volume(pool, "another") in snapshot.objects
    assert operation.ref not in snapshot.objects  # half of an image is no volume yet
    go_on.set()
    downloading.join()
    assert (dir_pool_folder / "image").read_bytes() == CONTENT
    assert operation.ref in qemu_host.observe(snapshot, frozenset({operation.ref})).objects


def test_a_connection_that_takes_no_data_is_told(test_host: Hypervisor, tmp_path: Path) -> None:
    images = folder_pool("images", tmp_path)
    test_host.perform(images.define)
    test_host.perform(Start(images.ref))
    with pytest.raises(Unsupported, match="takes no data"):
        test_host.perform(download("images", "http://127.0.0.1:9/a"))


class FtpServer(threading.Thread):
    """As much of RFC 959 as one download needs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])

    def run(self) -> None:
        control, _ = self._listening.accept()
        data = socket.create_server(("127.0.0.1", 0))
        with control, data, control.makefile("rw", newline="") as lines:

            def say(text: str) -> None:
                lines.write(f"{text}\r\n")
                lines.flush()

            say("220 ready")
            for line in lines:
                verb, _, rest = line.strip().partition(" ")
                if verb == "EPSV":
                    say(f"229 Entering Extended Passive Mode (|||{data.getsockname()[1]}|)")
                elif verb == "PASV":
                    high, low = divmod(data.getsockname()[1], 256)
                    say(f"227 Entering Passive Mode (127,0,0,1,{high},{low})")
                elif verb == "SIZE":
                    say(f"213 {len(CONTENT)}" if rest == "pub/a file" else "550 no")
                elif verb == "RETR":
                    say("150 here it comes")
                    peer, _ = data.accept()
                    with peer:
                        peer.sendall(CONTENT)
                    say("226 done")
                elif verb == "USER":
                    say("331 and the password")
                else:
                    say("221 bye" if verb == "QUIT" else "230 fine" if verb == "PASS" else "200 fine")


def test_ftp(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    server = FtpServer()
    server.start()
    url = f"ftp://127.0.0.1:{server.port}/pub/a%20file"
    qemu_host.perform(download(pool, url, sha256=SHA256))
    assert (dir_pool_folder / "image").read_bytes() == CONTENT


def test_ftp_refuses_what_is_not_there(qemu_host: Hypervisor, pool: str, dir_pool_folder: Path) -> None:
    server = FtpServer()
    server.start()
    with pytest.raises(Terminal, match="the server refuses it"):
        qemu_host.perform(download(pool, f"ftp://127.0.0.1:{server.port}/pub/other"))
    assert nothing_left(qemu_host, pool, dir_pool_folder)


def test_a_git_lfs_pointer_is_told_as_that() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12\n" % (b"0" * 64)
    with pytest.raises(Terminal, match="Git LFS pointer"):
        check_download(pointer, parse("<volume><target><format type='qcow2'/></target></volume>"), "http://a/b")
