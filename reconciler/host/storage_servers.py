"""What a storage server on the network offers: NFS exports and iSCSI targets, asked of the server itself.

Every question has a time limit. Which servers the host's own pools use, and which of the offers they use already, is
known elsewhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.errors import Cancelled, OnggiError, Refused, Terminal, Unsupported
from reconciler.host.addresses import checked_host, checked_port, in_url
from reconciler.host.commands import Finished, Program, printable_lines, run
from reconciler.network.addresses import Networks
from reconciler.network.connecting import NotAllowed, allowed_places, connect
from reconciler.network.exchange import Exchange, Patience

log = logging.getLogger("onggi.host")

NETFS: Final = "netfs"
ISCSI: Final = "iscsi"
ISCSI_PORT: Final = 3260

SHOWMOUNT: Final = Program("showmount", "nfs-common", "look for NFS exports")
ISCSIADM: Final = Program("iscsiadm", "open-iscsi", "look for iSCSI targets")
ISCSI_LS: Final = Program("iscsi-ls", "libiscsi-bin, or open-iscsi", "look for iSCSI targets")

_MOST_TARGETS: Final = 10_000
_CONNECT_S: Final = 4.0
_NO_DRIVER = 12  # iscsiadm: the kernel has no initiator
_KERNEL_INITIATOR = Path("/sys/class/iscsi_transport")
_INITIATOR_NAME = Path("/etc/iscsi/initiatorname.iscsi")
_NAME = r"(?:iqn|eui|naa)\.[A-Za-z0-9._:-]{1,223}"


@dataclass(frozen=True, slots=True)
class StorageTarget:
    """Something that a pool can use: `target` is an exported path (`nfs`) or a target's name (`iscsi`)."""

    host: str
    target_type: str
    target: str


class StorageServers:
    """Asks storage servers in `networks`. `timeout_s` bounds each question."""

    def __init__(self, *, timeout_s: float = 10.0, networks: Networks | None = None) -> None:
        self._timeout_s = timeout_s
        self._networks = networks or Networks.anywhere()

    def targets(
        self, host: str, target_type: str | None = None, port: int | str | None = None
    ) -> tuple[StorageTarget, ...]:
        """What a server offers of one kind (NETFS, ISCSI), or of both; of a server that doesn't answer, nothing.

        Raises Refused for a host, a kind or a port that can't be, NotAllowed for one in a network that isn't allowed,
        and Unsupported when the program for the one kind that was asked for is missing.
        """
        host = checked_host(host)
        iscsi_port = ISCSI_PORT if port is None else checked_port(port)
        kinds: dict[str, Callable[[], tuple[str, ...]]] = {
            NETFS: lambda: self.exports(host),
            ISCSI: lambda: self.iscsi_targets(host, iscsi_port),
        }
        if target_type is not None and target_type not in kinds:
            raise Refused("The kind of target is neither netfs nor iscsi; give one of them.", reason="BadTargetType")
        asked = [target_type] if target_type is not None else [*kinds]

        def ask(kind: str) -> tuple[str, ...]:
            try:
                return kinds[kind]()
            except Unsupported:
                if target_type is not None:
                    raise
            except (Cancelled, NotAllowed):
                raise
            except OnggiError as error:
                log.info("no %s targets of %s: %s", kind, host, error)
            return ()

        with ThreadPoolExecutor(len(asked), thread_name_prefix="storage-server") as pool:
            found = dict(zip(asked, pool.map(ask, asked), strict=True))
        words = {NETFS: "nfs", ISCSI: "iscsi"}
        return tuple(StorageTarget(host, words[kind], each) for kind in asked for each in found[kind])

    def exports(self, host: str) -> tuple[str, ...]:
        """The paths that an NFS server exports, in order. Raises TooSlow; Terminal when it isn't there or refuses."""
        host = checked_host(host)
        done = run(SHOWMOUNT, ["--no-headers", "--exports", "--", self._address(host)], timeout_s=self._timeout_s)
        if done.code != 0:
            raise _failure(f"The exports of {host}", done)
        return _unique(_exported(done.output))

    def iscsi_targets(self, host: str, port: int = ISCSI_PORT) -> tuple[str, ...]:
        """The names of an iSCSI server's targets, in order. Raises as `exports` does."""
        host, port = checked_host(host), checked_port(port)
        where = f"{in_url(self._address(host))}:{port}"
        if ISCSIADM.present and (_KERNEL_INITIATOR.exists() or not ISCSI_LS.present):
            # Nothing is to be remembered, or the host would log in to all of it at its next start.
            arguments = ["--mode", "discovery", "--op", "nonpersistent", "--type", "sendtargets", "--portal", where]
            done = run(ISCSIADM, arguments, timeout_s=self._timeout_s)
            if done.code != _NO_DRIVER or not ISCSI_LS.present:
                return self._found(rf"\S+,\d+ (?P<name>{_NAME})", where, done)
        name = _initiator_name()
        done = run(ISCSI_LS, [*(["-i", name] if name else []), f"iscsi://{where}"], timeout_s=self._timeout_s)
        return self._found(rf"Target:(?P<name>{_NAME})(?:\s.*)?", where, done)

    def listens(self, host: str, port: int) -> bool:
        """Whether anything takes connections there, found out within seconds. Raises Refused as `targets` does."""
        patience_s = min(self._timeout_s, _CONNECT_S)
        try:
            with Exchange(Patience(patience_s, patience_s, patience_s)) as exchange:
                connect(checked_host(host), checked_port(port), exchange, self._networks).close()
        except (OSError, NotAllowed):
            return False
        return True

    def _address(self, host: str) -> str:
        """The one that the programs are given, so that they ask nobody else. Raises NotAllowed, Terminal."""
        try:
            return str(allowed_places(host, 0, self._networks, self._timeout_s)[0].address)
        except OSError as error:
            log.info("where %s is isn't known: %s", host, error)
            raise Terminal(_sentence(f"What {host} offers")) from None

    @staticmethod
    def _found(pattern: str, where: str, done: Finished) -> tuple[str, ...]:
        if done.code != 0:
            raise _failure(f"The targets of {where}", done)
        matches = (re.fullmatch(pattern, line) for line in printable_lines(done.output))
        return _unique(match["name"] for match in matches if match)


def _exported(output: str) -> Iterator[str]:
    """Paths in what showmount prints: each is followed by blanks and by who may mount it, which has none."""
    for line in output.splitlines():
        path = line.rsplit(maxsplit=1)[0].rstrip() if line.startswith("/") and " " in line else line.strip()
        if path.startswith("/") and path.isprintable():
            yield path


def _unique(found: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted({each for each, _ in zip(found, range(_MOST_TARGETS), strict=False)}))


def _failure(what: str, done: Finished) -> Terminal:
    # What listens where is told to the log alone.
    log.info("%s can't be listed: %s", what, done.reason)
    return Terminal(_sentence(what))


def _sentence(what: str) -> str:
    return f"{what} can't be listed; check the server, and that it may be reached from here: the agent's log tells why."


def _initiator_name() -> str:
    """The host's own name as an initiator, by which servers tell who may see a target; empty when it has none."""
    try:
        text = _INITIATOR_NAME.read_text(errors="replace")
    except OSError:
        return ""
    match = re.search(rf"^InitiatorName=({_NAME})\s*$", text, re.MULTILINE)
    return match[1] if match else ""
