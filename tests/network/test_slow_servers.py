"""No server holds onggi: whatever it does instead of answering, it is given up, hung up on, and its thread is gone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.errors import Cancelled, OnggiError, Transient
from reconciler.hypervisor.transfer.downloads import download
from reconciler.network.addresses import Networks
from reconciler.network.exchange import Patience
from tests.lab.ports import free_port
from tests.lab.waiting import until
from tests.network.misbehaving import Behaviour, byte_by_byte, flood, misbehaving, says, silent

HERE = Networks.of(["127.0.0.0/8"])
SHORT = Patience(overall_s=60, begin_s=0.5, window_s=0.5, least_bytes_per_s=1024)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"

NEVER_BEGINS: dict[str, tuple[str, Behaviour]] = {
    "silent": ("http", silent),
    "silent instead of TLS": ("https", silent),
    "a byte of the status at a time": ("http", byte_by_byte(b"HTTP/1.1 ", b"2")),
    "headers without end, slowly": ("http", byte_by_byte(b"HTTP/1.1 200 OK\r\nX: ", b"y")),
    "headers without end, fast": ("http", flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000)),
    "interim answers without end": ("http", flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)),
    "a byte of TLS at a time": ("https", byte_by_byte(b"\x16\x03\x03\x40\x00", b"\0")),
    "something else": ("http", says(b"SSH-2.0-OpenSSH_9.2\r\n")),
    "something else instead of TLS": ("https", says(b"220 smtp.example.org ESMTP\r\n")),
    "silent ftp": ("ftp", silent),
    "a greeting without end, slowly": ("ftp", byte_by_byte(b"220-", b"w")),
    "a greeting without end, fast": ("ftp", flood(b"220-hello\r\n", b"220-more\r\n" * 1000)),
    "a refusal for a greeting": ("ftp", says(b"550 no\r\n")),
    "silent ftps": ("ftps", says(b"220 hello\r\n234 go on\r\n")),
}
TOO_SLOW: dict[str, Behaviour] = {
    "nothing of the body": says(OK),
    "a byte of the body at a time": byte_by_byte(OK),
    "a chunk of a byte at a time": byte_by_byte(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"
    ),
    "a chunk's length without end": byte_by_byte(CHUNKED, b"0"),
}

SLOWLY = Patience(overall_s=120, begin_s=60, window_s=0.5, least_bytes_per_s=1024)


def downloaders() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "onggi-download"]


def fetch(url: str, patience: Patience = SHORT, stop: threading.Event | None = None) -> int:
    with download(url, stop or threading.Event(), HERE, patience) as offered:
        return sum(map(len, offered.chunks))


def told(scheme: str, port: int) -> str:
    """The sentence that somebody is told, whatever the port."""
    with pytest.raises(Transient) as failed:
        fetch(f"{scheme}://127.0.0.1:{port}/image")
    return str(failed.value).replace(f"{scheme}://127.0.0.1:{port}/", "")


def test_a_server_that_never_begins_is_left_and_nobody_learns_what_listens_where() -> None:
    """The same sentence for a port where nobody is, for a name that isn't, and for whatever else somebody may speak."""

    def ask(case: str) -> tuple[str, str, bool]:
        scheme, behave = NEVER_BEGINS[case]
        with misbehaving(behave) as server:
            sentence = told(scheme, server.port)
            until(lambda: server.all_left, 60, f"the connection is closed: {case}")
        return case, sentence, server.came == 1

    with ThreadPoolExecutor(len(NEVER_BEGINS)) as people:
        ends = list(people.map(ask, NEVER_BEGINS))
    with pytest.raises(Transient) as unknown:
        fetch("http://nobody.invalid/image")
    ends.append(("nobody knows the name", str(unknown.value).replace("http://nobody.invalid/", ""), True))
    ends += [(f"nobody listens, {scheme}", told(scheme, free_port()), True) for scheme in ("http", "https", "ftp")]
    sentence = "image can't be downloaded now: no server gives it there."
    assert [each for each in ends if each[1:] != (sentence, True)] == []
    until(lambda: not downloaders(), 60, "no thread is left")


def test_a_server_that_sends_too_slowly_is_left() -> None:
    def ask(case: str) -> tuple[str, bool]:
        with misbehaving(TOO_SLOW[case]) as server:
            with pytest.raises(Transient, match="broke off, or came too slowly"):
                fetch(f"http://127.0.0.1:{server.port}/image", SLOWLY)
            until(lambda: server.all_left, 60, f"the connection is closed: {case}")
        return case, server.came == 1

    with ThreadPoolExecutor(len(TOO_SLOW)) as people:
        assert dict(people.map(ask, TOO_SLOW)) == dict.fromkeys(TOO_SLOW, True)
    until(lambda: not downloaders(), 60, "no thread is left")


def test_a_server_that_is_fast_enough_and_never_ends_is_left_in_the_end() -> None:
    with misbehaving(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000)) as server:
        with pytest.raises(Transient):
            fetch(f"http://127.0.0.1:{server.port}/image", Patience(overall_s=0.5, begin_s=0.5))
        until(lambda: server.all_left, 60, "its connection is closed")


def test_whoever_gives_up_closes_the_connection_at_once() -> None:
    patient = Patience(overall_s=3600, begin_s=3600, window_s=3600)
    for scheme, behave in (("http", silent), ("https", silent), ("http", says(OK)), ("ftp", silent)):
        with misbehaving(behave) as server:
            stop = threading.Event()
            with ThreadPoolExecutor(1) as pool:
                fetching = pool.submit(fetch, f"{scheme}://127.0.0.1:{server.port}/image", patient, stop)
                until(lambda server=server: server.came, 60, "it is being asked")
                stop.set()
                with pytest.raises(Cancelled):
                    fetching.result(60)
            until(lambda server=server: server.all_left, 60, "its connection is closed")
    until(lambda: not downloaders(), 60, "no thread is left")


def test_forty_slow_servers_leave_nothing_behind() -> None:
    def ask(url: str) -> str:
        try:
            fetch(url)
        except OnggiError as error:
            return type(error).__name__
        return "fetched"

    with misbehaving(byte_by_byte(OK)) as server, ThreadPoolExecutor(40) as people:
        ends = list(people.map(ask, [f"http://127.0.0.1:{server.port}/image"] * 40))
        assert ends == ["Transient"] * 40
        until(lambda: server.left == 40, 60, "every connection is closed")
    until(lambda: not downloaders(), 60, "no thread is left")
