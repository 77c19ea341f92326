"""LDAP servers that want to harm whoever asks: with floods, lies about lengths, and answers that nobody asked for."""

from __future__ import annotations

import itertools
import random
import resource
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.errors import OnggiError, Terminal, Transient
from reconciler.host import directory
from reconciler.host.accounts import Names
from reconciler.host.directory import LdapAccounts
from reconciler.host.ldap_settings import LdapSettings
from reconciler.identity.ldap_login import LdapLogins
from tests.lab.waiting import until
from tests.network.misbehaving import Behaviour, misbehaving

BASE = "dc=example,dc=org"
BIND, ENTRY, DONE, EXTENDED = 0x61, 0x64, 0x65, 0x78
OWN_LIMIT = "The LDAP server tells of no more than 1 users; raise its size limit."
MOST_GROWN_KIB = 512 * 1024


def tlv(tag: int, content: bytes, length: bytes = b"") -> bytes:
    """One value of BER, with four bytes of length as many servers write it."""
    return bytes([tag]) + (length or b"\x84" + len(content).to_bytes(4, "big")) + content


def result(tag: int, number: int, code: int = 0, controls: bytes = b"") -> bytes:
    content = tlv(tag, tlv(0x0A, bytes([code])) + tlv(4, b"") + tlv(4, b""))
    return tlv(0x30, tlv(2, bytes([number])) + content + controls)


def entry(number: int, name: bytes, attribute: bytes = b"uid") -> bytes:
    values = tlv(0x30, tlv(4, attribute) + tlv(0x31, tlv(4, name)))
    return tlv(0x30, tlv(2, bytes([number])) + tlv(ENTRY, tlv(4, b"uid=x," + BASE.encode()) + tlv(0x30, values)))


def cookie(value: bytes) -> bytes:
    page = tlv(0x30, tlv(2, b"\0") + tlv(4, value))
    return tlv(0xA0, tlv(0x30, tlv(4, b"1.2.840.113556.1.4.319") + tlv(4, page)))


def asked(connection: socket.socket) -> int:
    """The number of the next question."""
    said = connection.recv(65536)
    if not said:
        raise ConnectionError
    return said[said.index(2, 2) + 2]


def after_bind(answer: Callable[[socket.socket, int], None]) -> Behaviour:
    """Lets everybody in, and then does `answer` to each search."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(result(BIND, asked(connection)))
        while True:
            answer(connection, asked(connection))

    return behave


def flood(piece: Callable[[int], bytes], begin: bytes = b"") -> Behaviour:
    def answer(connection: socket.socket, number: int) -> None:
        connection.sendall(begin)
        for _ in itertools.count():
            connection.sendall(piece(number))

    return after_bind(answer)


def once(piece: Callable[[int], bytes]) -> Behaviour:
    return after_bind(lambda connection, number: connection.sendall(piece(number)))


def at_the_bind(piece: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        asked(connection)
        connection.sendall(piece)

    return behave


HOSTILE: dict[str, Behaviour] = {
    "entries without end": flood(lambda number: entry(number, b"maria") * 100),
    "entries that nobody asked for": flood(lambda number: entry(number + 7, b"maria") * 100),
    "pages without end": once(lambda number: result(DONE, number, controls=cookie(b"more"))),
    "notices without end": flood(lambda number: result(EXTENDED, 0) * 100),
    "yes to a bind, again and again": flood(lambda number: result(BIND, 1) * 100),
    "a value without end": flood(lambda number: b"x" * 65536, tlv(0x30, b"", b"\x84\x7f\xff\xff\xff")),
    "a length of all there is": once(lambda number: b"\x30\x88" + b"\xff" * 8 + b"\x02\x01"),
    "a length of four gigabytes": once(lambda number: b"\x30\x84\xff\xff\xff\xff\x02\x01"),
    "a length of a length": once(lambda number: b"\x30\xff" + b"\xff" * 200),
    "no length": once(lambda number: b"\x30\x80\x02\x01\x02" + b"\0" * 100),
    "a depth without bottom": once(lambda number: b"\x30\x82\xff\xf0" + b"\x30\x80" * 32760),
    "a list in a list in a list": once(lambda number: nested(number)),
    "lengths that contradict": once(lambda number: tlv(0x30, tlv(2, bytes([number])) + b"\x64\x05\x04\x7fabc")),
    "a number of a thousand bytes": once(lambda number: tlv(0x30, tlv(2, b"\x7f" * 1000) + tlv(DONE, b""))),
    "a page's cookie that is none": once(lambda number: result(DONE, number, controls=cookie(b"x")[:-5] + b"\xff" * 5)),
    "an entry without a name": once(lambda number: tlv(0x30, tlv(2, bytes([number])) + tlv(ENTRY, b"")) * 3),
    "another kind of answer": once(lambda number: result(BIND, number) + result(EXTENDED, number)),
    "a referral": once(lambda number: result(DONE, number, 10)),
    "a code that there isn't": once(lambda number: result(DONE, number, 127)),
    "noise": flood(lambda number: random.Random(number).randbytes(65536)),
    "noise at the bind": at_the_bind(random.Random(1).randbytes(65536)),
    "HTTP": at_the_bind(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a bind that ends in the middle": at_the_bind(result(BIND, 1)[:-3]),
    "a bind of no code": at_the_bind(tlv(0x30, tlv(2, b"\1") + tlv(BIND, b""))),
}


# What a server may have said in spite of all, or nothing at all.
EVENTUALLY = (None, {"uid": ("maria",)}, Names(), Names(("maria",)), Names(("maria",), OWN_LIMIT))


def nested(number: int) -> bytes:
    found = b""
    for _ in range(4000):
        found = tlv(0x30, found)
    return tlv(0x30, tlv(2, bytes([number])) + tlv(ENTRY, tlv(4, b"") + found))


def relays() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "onggi-relay"]


def accounts(port: int, timeout_s: float = 0.5, **more: object) -> LdapAccounts:
    return LdapAccounts(LdapSettings(f"ldap://127.0.0.1:{port}", BASE, timeout_s=timeout_s, **more))  # type: ignore[arg-type]


def test_a_hostile_server_is_left_in_time_and_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_USERS", 1000)

    def ask(case: str) -> tuple[str, bool]:
        with misbehaving(HOSTILE[case]) as server:
            for question in (lambda: accounts(server.port).users(), lambda: accounts(server.port).entry("maria")):
                try:
                    found = question()
                except (Transient, Terminal):
                    continue
                assert found in EVENTUALLY, (case, found)
            until(lambda: server.all_left, 60, f"the connection is closed: {case}")
        return case, server.came == 2

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ThreadPoolExecutor(6) as people:
        assert dict(people.map(ask, HOSTILE)) == dict.fromkeys(HOSTILE, True)
    until(lambda: not relays(), 60, "no thread is left")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWN_KIB


def test_a_hostile_server_lets_nobody_in() -> None:
    """Short of saying yes where it is asked."""

    def ask(case: str) -> object:
        with misbehaving(HOSTILE[case]) as server:
            settings = LdapSettings(f"ldap://127.0.0.1:{server.port}", BASE, timeout_s=0.5, group_base=BASE)
            try:
                return LdapLogins(settings).proven("maria", "of maria")
            except Transient:
                return "nobody knows"

    with ThreadPoolExecutor(6) as people:
        assert set(people.map(ask, HOSTILE)) <= {None, "nobody knows"}
    until(lambda: not relays(), 60, "no thread is left")


def test_answers_that_were_changed_at_random_are_survived() -> None:
    """Seeded; what is told is an error, or what was in the answer."""
    chance = random.Random(20261130)
    good = entry(2, b"maria") + result(DONE, 2, controls=cookie(b""))

    def changed() -> bytes:
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 9)]
                case _:
                    data[place:place] = chance.randbytes(chance.randrange(1, 9))
        return bytes(data)

    def behave(connection: socket.socket) -> None:
        connection.sendall(result(BIND, asked(connection)))
        asked(connection)
        connection.sendall(changed())
        connection.shutdown(socket.SHUT_WR)

    with misbehaving(behave) as server:
        for _ in range(150):
            try:
                found = accounts(server.port).users()
            except OnggiError:
                continue
            assert len(found.names) <= 1
    until(lambda: not relays(), 60, "no thread is left")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", tmp_path / "key.pem", "-out", tmp_path / "server.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return tmp_path / "server.pem"


def test_what_somebody_on_the_way_says_before_the_encryption_is_not_believed(certificate: Path) -> None:
    """The answers to what is asked afterwards, put behind the server's yes to StartTLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))

    def behave(connection: socket.socket) -> None:
        asked(connection)
        injected = result(BIND, 1) + entry(2, b"mallory") + result(DONE, 2)
        connection.sendall(result(EXTENDED, 1) + injected)
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.sendall(result(BIND, asked(secure), 49))
            secure.recv(65536)

    with misbehaving(behave) as server:
        asking = accounts(server.port, 60, start_tls=True, ca_file=certificate)
        with pytest.raises(Terminal, match="Invalid credentials"):
            asking.users()


def test_a_server_that_stays_in_clear_after_its_yes_gets_no_password(certificate: Path) -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(result(EXTENDED, asked(connection)))
        heard.append(connection.recv(65536))
        connection.sendall(result(BIND, 1))

    with misbehaving(behave) as server:
        asking = accounts(
            server.port, 60, start_tls=True, ca_file=certificate, bind_dn="cn=admin", bind_password=lambda: "s3cret"
        )
        with pytest.raises(Transient):
            asking.users()
    assert heard
    assert b"s3cret" not in b"".join(heard)
