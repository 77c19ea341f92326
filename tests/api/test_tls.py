"""TLS on a real server: who is let in, what is shown, and that the files may change meanwhile."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import libvirt
import pytest

from api.app import create_app
from api.http.certificate import Certificate
from api.http.connection import MAX_HEAD, Connection
from api.http.eviction import MOST_OF_ONE
from api.http.server_names import server_names
from api.http.tls_transport import TlsTransport
from api.server import Server
from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import SettingsError
from reconciler.identity.identity import Identity
from reconciler.identity.logins import Logins
from reconciler.identity.role import Role
from tests.api.live import live_api
from tests.api.test_server import Agent
from tests.hostile.raw import answer_of, answer_to, connect, sent_without_end
from tests.hostile.test_connections import was_reset
from tests.lab.certificates import made_certificate
from tests.lab.other_user import public_folder
from tests.lab.repositories import Repository
from tests.lab.waiting import until

__all__ = ["public_folder"]

LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: made_certificate(folder / name, "localhost", "127.0.0.1") for name in ("first", "second")}


@pytest.fixture
def files(pairs: dict[str, tuple[Path, Path]], tmp_path: Path) -> tuple[Path, Path]:
    """A pair of the test's own."""
    put(pairs["first"], (found := (tmp_path / "cert.pem", tmp_path / "key.pem")))
    return found


def put(pair: tuple[Path, Path], there: tuple[Path, Path]) -> None:
    for new, old in zip(pair, there, strict=True):
        shutil.copy2(new, old.with_suffix(".new"))
        old.with_suffix(".new").replace(old)


class Clock:
    """Each look is due."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        self.s += 60
        return self.s


@contextmanager
def served(files: tuple[Path, Path], unix: UnixSocket | None = None) -> Iterator[Server]:
    server = Server(create_app(Agent(ready=True).services()), "127.0.0.1:0", (), unix, Certificate(*files, Clock()))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def by_tls(server: Server, context: ssl.SSLContext, **more: int) -> ssl.SSLSocket:
    return context.wrap_socket(connect(server.url, **more), server_hostname="localhost")


@pytest.fixture
def server(files: tuple[Path, Path]) -> Iterator[Server]:
    with served(files) as running:
        yield running


# What is spoken


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_as_it_is_today_is_spoken(server: Server, files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    context = trusting(files[0])
    context.minimum_version = context.maximum_version = version
    assert server.url.startswith("https://127.0.0.1:")
    answer = httpx.get(f"{server.url}/healthz", verify=context, timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_tls_of_yesterday_is_refused(server: Server, files: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    context = trusting(files[0])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        by_tls(server, context)


def test_who_speaks_plain_http_is_told_what_is_spoken(server: Server) -> None:
    told = answer_to(server.url, LARGE)
    assert told.startswith("HTTP/1.1 400 ") and "the address begins with https" in told
    assert "strict-transport-security" not in told


def test_nonsense_is_sent_away(server: Server, files: tuple[Path, Path]) -> None:
    with connect(server.url) as one:
        one.sendall(b"\x16\x03\x01" + b"nonsense" * 100)
        one.settimeout(60)
        try:
            while one.recv(4096):
                pass
        except ConnectionResetError:
            pass
    assert httpx.get(f"{server.url}/healthz", verify=trusting(files[0]), timeout=60).status_code == 200


def test_browsers_are_told_to_come_by_tls_alone_next_time(
    server: Server, files: tuple[Path, Path], public_folder: Path
) -> None:
    with httpx.Client(base_url=server.url, verify=trusting(files[0]), timeout=60) as client:
        for path in ("/healthz", "/nowhere", "/docs"):
            assert client.get(path).headers["strict-transport-security"] == "max-age=31536000"
        client.get("/healthz")
    with by_tls(server, trusting(files[0])) as one:  # what the connection says by itself, too
        one.sendall(b"nonsense\r\n\r\n")
        assert "\r\nstrict-transport-security: max-age" in answer_of(one)
    place = public_folder / "api.sock"
    with served(files, UnixSocket(place)), httpx.Client(transport=httpx.HTTPTransport(uds=str(place))) as local:
        answer = local.get("http://localhost/healthz")  # no TLS there: nobody is on the way
        assert answer.status_code == 200 and "strict-transport-security" not in answer.headers


def test_a_page_of_the_same_name_without_tls_is_another_sites(server: Server, files: tuple[Path, Path]) -> None:
    with httpx.Client(base_url=server.url, verify=trusting(files[0]), timeout=60) as client:
        own = server.url
        for origin, status in ((own, 404), (own.replace("https:", "http:"), 403), ("null", 403)):
            assert client.post("/nowhere", headers={"Origin": origin}).status_code == status, origin


# Who is silent, slow or much


def test_who_is_silent_instead_of_a_handshake_is_sent_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "handshake_s", 0.2)
    with connect(server.url) as silent, connect(server.url) as half:
        half.sendall(b"\x16\x03\x01\x02\x00")
        for one in (silent, half):
            assert answer_of(one) == ""


def test_who_is_silent_after_the_handshake_is_told_so(
    server: Server, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "head_s", 0.2)
    with by_tls(server, trusting(files[0])) as one:
        assert answer_of(one).startswith("HTTP/1.1 408 ")


def test_hundreds_of_handshakes_that_do_not_end_keep_nobody_out(server: Server, files: tuple[Path, Path]) -> None:
    held = []
    try:
        for _ in range(MOST_OF_ONE + 8):
            held.append(connect(server.url))
        assert httpx.get(f"{server.url}/healthz", verify=trusting(files[0]), timeout=60).status_code == 200
        assert any(answer_of(one) == "" for one in held[:1])  # the stillest made room
    finally:
        for one in held:
            one.close()


def test_who_does_not_read_by_tls_is_sent_away_too(
    server: Server, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "read_s", 0.2)
    with by_tls(server, trusting(files[0]), receive_buffer=4096) as one:
        one.sendall(LARGE * 16)
        until(lambda: was_reset(one), 60, "the connection is reset")


def test_a_large_answer_and_a_large_body_come_whole(server: Server, files: tuple[Path, Path]) -> None:
    with httpx.Client(base_url=server.url, verify=trusting(files[0]), timeout=60) as client:
        whole = client.get("/openapi.json").content
        assert len(whole) > 100_000
        assert client.post("/nowhere", content=b"x" * 1_000_000).status_code == 404
    with by_tls(server, trusting(files[0]), receive_buffer=4096) as one:
        one.sendall(LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer_of(one).partition("\r\n\r\n")[2].encode() == whole
    with by_tls(server, trusting(files[0])) as one:
        assert sent_without_end(one, b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD) < 1 << 25


def test_the_end_is_said_so_that_nobody_can_cut_an_answer_short(server: Server, files: tuple[Path, Path]) -> None:
    context = trusting(files[0])
    with context.wrap_socket(connect(server.url), server_hostname="localhost", suppress_ragged_eofs=False) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer_of(one).startswith("HTTP/1.1 200 ")


# What is shown


def shown(server: Server) -> str:
    return ssl.get_server_certificate(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60)


def test_a_renewed_certificate_is_shown_while_requests_go_on(
    server: Server, files: tuple[Path, Path], pairs: dict[str, tuple[Path, Path]]
) -> None:
    with httpx.Client(base_url=server.url, verify=trusting(files[0]), timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        put(pairs["second"], files)
        assert shown(server) == pairs["second"][0].read_text()
        assert client.get("/healthz").status_code == 200  # the connection that was there


def test_what_can_not_be_used_changes_nothing_and_is_told_once(
    server: Server, files: tuple[Path, Path], pairs: dict[str, tuple[Path, Path]], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (pairs[name][0].read_text() for name in ("first", "second"))
    shutil.copy2(pairs["second"][0], files[0])  # its key comes later
    assert [shown(server) for _ in range(3)] == [first] * 3
    assert caplog.text.count("isn't that of the tls-cert") == 1
    files[1].write_text(pairs["second"][1].read_text()[:60])
    assert [shown(server) for _ in range(3)] == [first] * 3
    assert caplog.text.count("aren't a certificate and a key in PEM") == 1
    files[1].unlink()
    assert [shown(server) for _ in range(3)] == [first] * 3
    assert caplog.text.count("can't be read") == 1
    put(pairs["second"], files)
    assert shown(server) == second
    assert "PRIVATE" not in caplog.text


def test_files_that_stay_are_not_read_again(files: tuple[Path, Path]) -> None:
    certificate = Certificate(*files, Clock())
    assert certificate.context() is certificate.context()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_may_read_is_refused(files: tuple[Path, Path], mode: int) -> None:
    files[1].chmod(mode)
    with pytest.raises(SettingsError, match="can be read or changed by others; chmod 600"):
        Certificate(*files)


def test_an_encrypted_key_is_refused(files: tuple[Path, Path]) -> None:
    words = ["openssl", "pkey", "-in", files[1], "-aes256", "-passout", "pass:secret"]
    files[1].write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
    with pytest.raises(SettingsError, match="is encrypted, and nobody is there to say its password; write it without"):
        Certificate(*files)


def test_what_is_no_pair_is_refused_with_the_remedy(
    files: tuple[Path, Path], pairs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    certificate, key = files
    (empty := tmp_path / "empty").touch(0o600)
    for pair, said in (
        ((pairs["second"][0], key), "isn't that of the tls-cert .*; give the two"),
        ((tmp_path / "none", key), "The tls-cert .*/none can't be read .*`onggi cert` makes"),
        ((certificate, tmp_path / "none"), "The tls-key .*/none can't be read"),
        ((certificate, tmp_path), "isn't a small file"),
        ((empty, key), "aren't a certificate and a key"),
        ((certificate, empty), "aren't a certificate and a key"),
        ((key, key), "aren't a certificate and a key"),
    ):
        with pytest.raises(SettingsError, match=said):
            Certificate(*pair)


# Who logs in, and by which name


class Accounts:
    """One user, whose password is known."""

    def proven(self, name: str, password: str) -> Identity | None:
        return self.current(name) if (name, password) == ("kim", "right") else None

    def current(self, name: str) -> Identity | None:
        return Identity(name, frozenset({"root"}))

    def close(self) -> None:
        """Nothing is held."""


def test_a_session_goes_by_tls(
    hand: libvirt.virConnect, repository: Repository, tmp_path: Path, files: tuple[Path, Path]
) -> None:
    repository.commit({}, "Begin")
    with (
        live_api(
            repository, tmp_path / "state", logins=Logins(Accounts(), {Role.ADMIN: ["root"]}), certificate=files
        ) as api,
        httpx.Client(base_url=api.url, verify=trusting(files[0]), timeout=60) as browser,
    ):
        browser.headers["Origin"] = api.url
        assert browser.get("/networks").status_code == 401
        assert browser.post("/login", json={"username": "kim", "password": "right"}).status_code == 200
        made = browser.post("/networks", json={"name": "mine", "connection": "isolated"})
        assert made.status_code == 201
        assert made.headers.get("location", api.url).startswith(("https://", "/"))
        assert browser.post("/logout", json={}).status_code == 200
        assert browser.get("/networks").status_code == 401


def test_the_server_goes_by_the_names_that_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"localhost", "127.0.0.1", "::1", "[::1]"}
    assert set(server_names("")()) == set(server_names("127.0.0.1")()) == here
    assert set(server_names("::1", ["KVM1.example.org"])()) == here | {"kvm1.example.org"}
    monkeypatch.setattr("api.http.server_names.own_addresses", lambda: frozenset({"192.0.2.5", "2001:db8::5"}))
    monkeypatch.setattr(socket, "gethostname", lambda: "Kvm1.example.org")
    own = {"kvm1", "kvm1.example.org"}
    assert set(server_names("0.0.0.0")()) == here | own | {"192.0.2.5", "2001:db8::5", "[2001:db8::5]"}
    assert set(server_names("192.0.2.5")()) == here | own | {"192.0.2.5"}
    assert set(server_names("0.0.0.0", ["kvm1.example.org", "2001:db8::9"])()) == here | {
        "kvm1.example.org", "2001:db8::9", "[2001:db8::9]",
    }  # fmt: skip


class Sink:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = ssl.MemoryBIO()
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.write(data)

    def close(self) -> None:
        self.closed = True


def test_an_answer_to_who_has_broken_off_goes_nowhere_and_is_no_error(files: tuple[Path, Path]) -> None:
    sink, sent = Sink(), ssl.MemoryBIO()
    server = TlsTransport(sink, Certificate(*files).context())
    client = trusting(files[0]).wrap_bio(sink.written, sent, server_hostname="localhost")
    while not server.established:
        with suppress(ssl.SSLWantReadError):
            client.do_handshake()
        server.received(sent.read())
    server.write(b"one")
    assert client.read() == b"one"
    with pytest.raises(ssl.SSLError):
        server.received(b"\x17\x03\x03\x00\x20" + b"x" * 32)  # no record of this connection
    sink.written.read()
    server.write(b"two")
    assert sink.closed
    server.close()
    assert not sink.written.pending
