"""Requests over connections that are kept, with as little of their own as possible: the server is what is measured."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.timing import Times


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of clients got at once: the seconds of each request, the rate over all, the bytes of an answer."""

    times: Times
    per_s: float
    size: int


class Connection:
    """One connection to a server. Not for several threads."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        name, _, port = self._host.rpartition(":")
        self._socket = socket.create_connection((name.strip("[]"), int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self.tag = ""  # of the last answer

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def request(self, method: str, path: str, body: bytes = b"", *, head: str = "") -> tuple[int, bytes]:
        """The status and the body of one answer. `head` has further lines, each with its end."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n{head}"
        self._socket.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._received()
        lines = data[:end].lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        self.tag = next((line[5:].strip().decode() for line in lines if line.startswith(b"etag:")), "")
        chunks, have = [data[end + 4 :]], len(data) - end - 4
        while have < length:
            chunks.append(self._received())
            have += len(chunks[-1])
        whole = b"".join(chunks)
        self._rest = whole[length:]
        return int(lines[0].split()[1]), whole[:length]

    def _received(self) -> bytes:
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server hung up")
        return data


def _check(status: int, body: bytes) -> None:
    if status != 200:
        raise RuntimeError(f"{status}: {body[:200]!r}")


def load(url: str, paths: list[str], clients: int, seconds: float) -> Load:
    """So many clients, each asking for one path after the other for so long. Raises for anything but 200."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    sizes: list[int] = []
    failures: list[str] = []
    until = time.perf_counter() + seconds

    def client(number: int) -> None:
        connection = Connection(url)
        try:
            turn = number
            while (begun := time.perf_counter()) < until:
                status, body = connection.request("GET", paths[turn % len(paths)])
                taken[number].append(time.perf_counter() - begun)
                turn += clients
                _check(status, body)
            sizes.append(len(body))
        except Exception as error:
            failures.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(failures[0])
    every = [each for mine in taken for each in mine]
    return Load(Times(tuple(every)), len(every) / (time.perf_counter() - begun), max(sizes))
