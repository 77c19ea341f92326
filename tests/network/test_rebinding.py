"""A name whose addresses change between two questions, asked of a real DNS server by the system's own resolver."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.namespaces import Namespace, namespace

# `mi.example` is first at the mirror, then inside, and so on; `i.example` is always inside, `b.example` at both.
DNS = """
import collections, socket
servers = {"m": ["10.50.0.1"], "i": ["127.0.0.1"], "d": ["169.254.169.254"], "b": ["127.0.0.1", "10.50.0.1"]}
asked_before = collections.Counter()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    asked, who = server.recvfrom(4096)
    question = asked[12 : asked.index(0, 12) + 5]
    name, found = question[1 : 1 + question[0]].decode(), []
    if question[-4:-2] == bytes([0, 1]):
        found = servers[name[asked_before[name] % len(name)]]
        asked_before[name] += 1
    head = asked[:2] + bytes([0x81, 0x80, 0, 1, 0, len(found), 0, 0, 0, 0])
    records = (bytes([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]) + socket.inet_aton(each) for each in found)
    server.sendto(head + question + b"".join(records), who)
"""
# A mirror, and two servers that only this machine itself may ask.
WEB = """
import http.server, threading
def serve(address, content):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            led = self.path == "/on"
            self.send_response(302 if led else 200)
            self.send_header("Content-Length", str(0 if led else len(content)))
            self.send_header("Location", "http://" + self.headers["Host"] + "/image") if led else None
            self.end_headers()
            self.wfile.write(b"" if led else content)
        def log_message(self, *_):
            pass
    threading.Thread(target=http.server.ThreadingHTTPServer((address, 80), Handler).serve_forever).start()
serve("10.50.0.1", b"image")
serve("127.0.0.1", b"secret")
serve("169.254.169.254", b"token")
print("ready", flush=True)
"""
FETCH = """
import json, sys, threading
from reconciler.errors import OnggiError
from reconciler.network.addresses import Networks
from reconciler.network.connecting import NotAllowed
from reconciler.hypervisor.transfer.downloads import download
def fetched(url):
    try:
        with download(url, threading.Event(), Networks.of(["10.50.0.0/24"])) as offered:
            return b"".join(offered.chunks).decode()
    except NotAllowed as error:
        return "refused"
    except OnggiError as error:
        return str(error)
print(json.dumps({url: sorted({fetched(url) for _ in range(8)}) for url in sys.argv[1:]}))
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    resolver = tmp_path_factory.mktemp("resolver") / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions attempts:1 timeout:5\n")
    with namespace() as made:
        for address in ("10.50.0.1/24", "169.254.169.254/32"):
            made.run("ip", "address", "add", address, "dev", "lo")
        made.run("mount", "--bind", resolver, Path("/etc/resolv.conf").resolve())
        for server in (DNS, WEB):
            started = made.start(sys.executable, "-c", server).stdout
            assert started is not None
            assert started.readline() == "ready\n"
        yield made


def test_what_was_checked_is_what_is_connected_to(network: Namespace) -> None:
    """Each name is good at one time and bad at another; nothing is ever fetched from where it may not be."""
    changing, led = "http://mi.example/image", "http://mi.example/on"
    hurried, metadata = "http://mmi.example/on", "http://md.example/image"
    inside, both = "http://i.example/image", "http://b.example/image"
    found = json.loads(network.python(FETCH, changing, led, hurried, metadata, inside, both, timeout_s=240))
    assert found == {
        changing: ["image", "refused"],
        led: ["refused"],  # the second question is always the bad one
        hurried: ["image", "refused"],
        metadata: ["image", "refused"],
        inside: ["refused"],
        both: ["image"],
    }
