"""Other agents on the network: each says by DNS-SD where it answers, and hears where others do.

Where OpenSLP is still installed its agents are asked too, as Kimchi did. What the network says is a hint and no more:
only addresses, ports and two schemes are taken from it, and nobody is contacted because of it.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psutil

from reconciler.errors import OnggiError, Refused
from reconciler.host.addresses import checked_host, checked_port, in_url
from reconciler.host.commands import Program, run

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

log = logging.getLogger("onggi.peers")

SERVICE_TYPE: Final = "_onggi._tcp.local."
SLP_TYPE: Final = "service:kimchi.onggi"
SLPTOOL: Final = Program("slptool", "slptool", "find peers by SLP")

_SCHEMES: Final = ("http", "https")
_LIVES_S: Final = 120  # after a crash an agent is listed for so long
_ASKED_MS: Final = 3000
_LOOK_S: Final = 5.0  # how often interfaces that come and go are noticed
_SLP_EVERY: Final = 12  # looks
_MOST_PEERS: Final = 1000
# Guests have no business in knowing of the agent, nor in naming peers to it.
_OF_GUESTS: Final = ("virbr", "vnet", "docker", "veth")


class Peers:
    """The agents nearby. Once started, it works in a thread of its own; a network that isn't there is waited for.

    `scheme` and `port` are where this agent answers. Without `federation` nothing is sent and nobody is listed.
    """

    def __init__(self, *, scheme: str, port: int, federation: bool, name: str | None = None) -> None:
        if scheme not in _SCHEMES:
            raise Refused("The scheme is neither http nor https; give one of them.", reason="BadScheme")
        self._scheme = scheme
        self._port = checked_port(port)
        self._federation = federation
        # The name is unique by chance and not by asking around, which would rename one of two hosts called the same.
        word = re.sub(r"[^A-Za-z0-9-]+", "-", name if name is not None else socket.gethostname())[:40].strip("-")
        self._label = f"{word or 'onggi'}-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}  # by the name of the service
        self._found_by_slp: tuple[str, ...] = ()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Say that we are here, and listen. Doesn't block and doesn't fail."""
        if self._federation and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="peers", daemon=True)
            self._thread.start()

    def list(self) -> tuple[str, ...]:
        """Where the others answer, such as `https://192.0.2.7:8001`, sorted; empty without federation."""
        with self._lock:
            found = {*self._found.values(), *self._found_by_slp}
        # SLP tells of ourselves too.
        return tuple(sorted(found - {*self._own_urls()})) if found else ()

    def close(self) -> None:
        """Say that we are gone, and stop. May take a second."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(10)

    def _own_urls(self) -> tuple[str, ...]:
        return tuple(f"{self._scheme}://{address}:{self._port}" for address in own_addresses())

    def _work(self) -> None:
        opened: Zeroconf | None = None
        addresses: tuple[str, ...] = ()
        looks = 0
        try:
            while not self._closed.is_set():
                now = own_addresses()
                if opened is None or now != addresses:
                    self._end(opened)
                    opened, addresses = self._open(now), now
                if looks % _SLP_EVERY == 0:
                    self._ask_slp(addresses)
                looks += 1
                self._closed.wait(_LOOK_S)
        except Exception:
            log.exception("looking for peers has ended")
        finally:
            self._end(opened)
            self._leave_slp(addresses)

    def _open(self, addresses: tuple[str, ...]) -> Zeroconf | None:
        from zeroconf import Error as ZeroconfError
        from zeroconf import ServiceBrowser, ServiceInfo, Zeroconf

        with self._lock:
            self._found.clear()
        if not addresses:
            return None
        opened = None
        try:
            opened = Zeroconf(interfaces=[*addresses])
            info = ServiceInfo(
                SERVICE_TYPE,
                f"{self._label}.{SERVICE_TYPE}",
                port=self._port,
                properties={"scheme": self._scheme},
                server=f"{self._label}.local.",
                parsed_addresses=[*addresses],
            )
            ServiceBrowser(opened, SERVICE_TYPE, handlers=[self._hear])
            opened.register_service(info, ttl=_LIVES_S)
        except (OSError, ZeroconfError, RuntimeError) as error:
            log.warning("peers can't be looked for now (%s); trying again later", error)
            self._end(opened)
            return None
        return opened

    @staticmethod
    def _end(opened: Zeroconf | None) -> None:
        if opened is not None:
            with suppress(Exception):  # it says good-bye as far as the network still lets it
                opened.unregister_all_services()
            with suppress(Exception):
                opened.close()

    def _hear(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: Any) -> None:
        """Called by the browser's thread; must not raise."""
        if name.removesuffix(f".{service_type}") == self._label:
            return
        info = None if state_change.name == "Removed" else zeroconf.get_service_info(service_type, name, _ASKED_MS)
        url = _url_of(info) if info is not None else None
        with self._lock:
            if url is None:
                self._found.pop(name, None)
            elif name in self._found or len(self._found) < _MOST_PEERS:
                self._found[name] = url

    def _ask_slp(self, addresses: tuple[str, ...]) -> None:
        if not SLPTOOL.present:
            return
        for address in addresses[:1]:
            self._slp("register", f"{SLP_TYPE}:{self._scheme}://{address}:{self._port}")
        found = slp_urls(self._slp("findsrvs", SLP_TYPE))
        with self._lock:
            self._found_by_slp = found

    def _leave_slp(self, addresses: tuple[str, ...]) -> None:
        if SLPTOOL.present:
            for address in addresses[:1]:
                self._slp("deregister", f"{SLP_TYPE}:{self._scheme}://{address}:{self._port}")

    @staticmethod
    def _slp(*arguments: str) -> str:
        try:
            return run(SLPTOOL, arguments, timeout_s=10.0).output
        except OnggiError as error:
            log.info("SLP doesn't answer: %s", error)
            return ""


def own_addresses() -> tuple[str, ...]:
    """The IPv4 addresses of this host on networks with other hosts, sorted."""
    found = set()
    states = psutil.net_if_stats()
    for name, addresses in psutil.net_if_addrs().items():
        if name == "lo" or name.startswith(_OF_GUESTS) or not (name in states and states[name].isup):
            continue
        found |= {each.address for each in addresses if each.family == socket.AF_INET}
    return tuple(sorted(found))


def slp_urls(output: str) -> tuple[str, ...]:
    """Peers in what `slptool findsrvs` prints: `service:kimchi.onggi:https://host:port,lifetime` a line."""
    found = set()
    for line in output.splitlines()[:_MOST_PEERS]:
        match = re.fullmatch(rf"{re.escape(SLP_TYPE)}:(?://)?(https?)://(\S+):(\d+)(?:,\d+)?", line.strip(), re.ASCII)
        if match:
            with suppress(Refused):
                found.add(f"{match[1]}://{in_url(checked_host(match[2]))}:{checked_port(match[3])}")
    return tuple(sorted(found))


def _url_of(info: ServiceInfo) -> str | None:
    """Where a service says that it answers; None when that can't be."""
    scheme = (info.properties.get(b"scheme") or b"").decode("ascii", "replace")
    if scheme not in _SCHEMES or not info.port:
        return None
    for text in info.parsed_addresses():
        address = ipaddress.ip_address(text.partition("%")[0])
        if not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local):
            return f"{scheme}://{in_url(str(address))}:{checked_port(info.port)}"
    return None
