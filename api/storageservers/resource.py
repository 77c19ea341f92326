"""/storageservers: the machines that the host's pools get their storage from, and what any such machine offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from api.http.endpoint import Call, Resource, get
from api.http.refusal import bad, not_found
from api.http.schema import Schema, arr, obj, text
from reconciler.errors import Refused, Unsupported
from reconciler.identity.role import Role
from reconciler.network.connecting import NotAllowed
from reconciler.network.limits import FOR_CLIENTS
from reconciler.observed.readable import readable
from reconciler.observed.snapshot import Snapshot
from specs.plain import NewJson
from specs.reference import STORAGE_POOL
from specs.storagepool import KIND as POOLS

if TYPE_CHECKING:
    from specs.storagepool.spec import LoweredSource

NETFS: Final = "netfs"
ISCSI: Final = "iscsi"

_TYPE: Final = text("Only for pools of this type.", enum=[NETFS, ISCSI])
_SERVER: Final[dict[str, Schema]] = {
    "host": text("Its name or address."),
    "port": text("The port that it listens on (iscsi); missing for the usual one.", examples=["3260"]),
}
SERVER: Final[Schema] = obj(_SERVER, required=("host",), title="StorageServer")

_TARGET: Final = {
    "host": text("The server."),
    "target_type": text("nfs or iscsi.", enum=["nfs", "iscsi"]),
    "target": text("The exported path, or the target's name."),
}
TARGET: Final[Schema] = obj(_TARGET, required=tuple(_TARGET), title="StorageTarget")

_KINDS: Final = {"netfs": NETFS, "iscsi": ISCSI, "iscsi-direct": ISCSI}


class _Family(Resource):
    tag = "Storage servers"

    def sources(self) -> Iterator[tuple[str, LoweredSource]]:
        """What the pools that are on the host get their storage from: netfs or iscsi, and the source."""
        return _sources(self.serving.world.snapshot)


class StorageServers(_Family):
    """Those that are in use."""

    address = "/storageservers"

    @get(
        "The servers that the host's pools use, by name.", arr(SERVER), query={"_target_type": _TYPE}, blocking=True,
        role=Role.VIEWER,
    )  # fmt: skip
    def read(self, call: Call) -> list[NewJson]:
        """Each once."""
        wanted = call.query.get("_target_type")
        return _servers((kind, source) for kind, source in self.sources() if wanted in (None, kind))


class StorageServer(_Family):
    """One of them."""

    address = "/storageservers/{host}"

    @get("A server that a pool of the host uses.", SERVER, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, host: str) -> NewJson:
        """By its name, as the pool has it."""
        found = next((each for each in _servers(self.sources()) if each["host"] == host), None)
        if found is None:
            raise not_found("KCHSR0001E", f"A storage server {host} that a pool uses")
        return found


class StorageTargets(_Family):
    """What it offers."""

    address = "/storageservers/{host}/storagetargets"

    @get(
        "What a server offers that no pool uses yet. Nothing, when it doesn't answer.", arr(TARGET), blocking=True,
        query={
            "_target_type": _TYPE,
            "_server_port": text("Its port, for iscsi.", pattern="^[0-9]{1,5}$"),
        }, role=Role.ADMIN,
    )  # fmt: skip
    def read(self, call: Call, host: str) -> list[NewJson]:
        """Asked of the server itself, whether or not a pool uses it."""
        try:
            with FOR_CLIENTS.turn("Other servers are"):
                found = self.serving.host.storage_servers.targets(
                    host, call.query.get("_target_type"), call.query.get("_server_port")
                )
        except (Refused, NotAllowed) as refused:
            raise bad("KCHAPI0001E", str(refused)) from None
        except Unsupported:
            return []  # /config/capabilities says what is missing
        used = {(source.get("host"), source.get("path") or source.get("target")) for _, source in self.sources()}
        return [
            {"host": each.host, "target_type": each.target_type, "target": each.target}
            for each in found
            if (each.host, each.target) not in used
        ]


def _sources(snapshot: Snapshot) -> Iterator[tuple[str, LoweredSource]]:
    for seen in readable(snapshot, STORAGE_POOL):
        spec = POOLS.lowered(seen.config)
        kind, source = _KINDS.get(str(spec.get("type"))), spec.get("source", {})
        if kind is not None and source.get("host"):
            yield kind, source


def _servers(sources: Iterator[tuple[str, LoweredSource]]) -> list[NewJson]:
    found: dict[str, NewJson] = {}
    for kind, source in sources:
        server = found.setdefault(str(source["host"]), {"host": str(source["host"])})
        if kind == ISCSI and source.get("port"):
            server["port"] = str(source["port"])
    return [found[host] for host in sorted(found)]
