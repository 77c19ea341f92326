"""Agents find each other: two of them, in two network namespaces that a cable connects."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reconciler.errors import Refused
from reconciler.host.peers import Peers, slp_urls
from tests.host.namespaces import Namespace, connect, namespace
from tests.lab.waiting import until

AGENT = """
import json, sys
from reconciler.host.peers import Peers
peers = Peers(scheme=sys.argv[1], port=int(sys.argv[2]), federation=sys.argv[3] == "on", name=sys.argv[4])
peers.start()
for line in sys.stdin:
    if line == "close\\n":
        peers.close()
    print(json.dumps(peers.list()), flush=True)
"""
# What anybody on the network may announce.
LIAR = """
import sys
from zeroconf import ServiceInfo, Zeroconf
zeroconf = Zeroconf(interfaces=["10.99.0.2"])
kind = "_onggi._tcp.local."
for number, (scheme, address, port) in enumerate([
    ("javascript", "10.99.0.2", 1), ("https", "127.0.0.1", 22), ("https", "224.0.0.1", 2), ("", "10.99.0.2", 3),
    ("https", "0.0.0.0", 4), ("https", "10.99.0.2", 0), ("https\\r\\nX: y", "10.99.0.2", 5), ("http", "10.99.0.66", 6),
]):
    name = f"<b>liar</b> {number}"
    properties = {"scheme": scheme}
    info = ServiceInfo(kind, f"{name}.{kind}", port=port, properties=properties, server=f"l{number}.local.",
                       parsed_addresses=[address])
    zeroconf.register_service(info)
print("ready", flush=True)
sys.stdin.read()
"""


class Agent:
    def __init__(self, network: Namespace, scheme: str, port: int, federation: str = "on", name: str = "host") -> None:
        self.process = network.start(sys.executable, "-c", AGENT, scheme, str(port), federation, name)

    def ask(self, line: str = "list") -> list[str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer: list[str] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def networks() -> Iterator[tuple[Namespace, Namespace]]:
    with namespace() as one, namespace() as other:
        connect(one, other)
        yield one, other


def test_two_agents_find_each_other_until_one_leaves(networks: tuple[Namespace, Namespace]) -> None:
    one, other = networks
    first, second = Agent(one, "https", 8001), Agent(other, "http", 8002)
    until(lambda: first.ask() == ["http://10.99.0.2:8002"], 60, "the first finds the second")
    until(lambda: second.ask() == ["https://10.99.0.1:8001"], 60, "the second finds the first")
    assert first.ask() == ["http://10.99.0.2:8002"]
    second.ask("close")
    until(lambda: first.ask() == [], 60, "the first hears that the second has left")


def test_an_agent_without_federation_hears_nothing_and_isnt_heard(networks: tuple[Namespace, Namespace]) -> None:
    one, other = networks
    first, second, third = Agent(one, "https", 8001), Agent(other, "https", 8002, "off"), Agent(other, "https", 8003)
    until(lambda: first.ask() == ["https://10.99.0.2:8003"], 60, "the first finds the third")
    assert second.ask() == []
    assert "https://10.99.0.1:8001" in until(third.ask, 60, "the third finds the first")
    assert first.ask() == ["https://10.99.0.2:8003"]


def test_what_the_network_says_is_made_harmless(networks: tuple[Namespace, Namespace]) -> None:
    one, other = networks
    first = Agent(one, "https", 8001)
    liar = other.start(sys.executable, "-c", LIAR)
    assert liar.stdout is not None
    assert liar.stdout.readline() == "ready\n"
    Agent(other, "https", 8002)
    wanted = ["http://10.99.0.66:6", "https://10.99.0.2:8002"]
    until(lambda: first.ask() == wanted, 60, "only what can be is listed")


def test_an_agent_waits_for_a_network_that_comes_later() -> None:
    with namespace() as one, namespace() as other:
        first = Agent(one, "https", 8001)
        assert first.ask() == []
        connect(one, other)
        Agent(other, "https", 8002)
        until(lambda: first.ask() == ["https://10.99.0.2:8002"], 90, "it finds the other")


def test_without_federation_nothing_is_opened() -> None:
    script = (
        "import sys\nfrom reconciler.host.peers import Peers\n"
        "peers = Peers(scheme='https', port=1, federation=False)\npeers.start()\n"
        "assert peers.list() == ()\npeers.close()\nassert 'zeroconf' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(("scheme", "port"), [("ftp", 1), ("https", 0), ("https", 70000)])
def test_where_an_agent_answers_is_checked(scheme: str, port: int) -> None:
    with pytest.raises(Refused):
        Peers(scheme=scheme, port=port, federation=True)


def test_what_slp_finds_is_read_and_the_rest_left_out() -> None:
    output = (
        "service:kimchi.onggi:https://nas.example.org:8001,65535\n"
        "service:kimchi.onggi:http://10.0.0.7:8000,10\n"
        "service:kimchi.onggi:https://[fe80::1]:8001,10\n"
        "service:kimchi.onggi:ftp://10.0.0.7:8000,10\n"
        "service:kimchi.onggi:https://-x:8001,10\n"
        "service:kimchi.onggi:https://a b:8001,10\n"
        "service:kimchi.onggi:https://h:99999,10\n"
        "service:other:https://h:1,10\n\x00\n"
    )
    assert slp_urls(output) == ("http://10.0.0.7:8000", "https://[fe80::1]:8001", "https://nas.example.org:8001")
