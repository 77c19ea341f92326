"""Whether what a new pool would get its storage from is there, found out before anything is committed.

A server that can't be asked, because it shows its offers to nobody or a program is missing, is taken at its word:
libvirt tells the rest when the pool is started. Each question has a time limit, and blocks its caller for as long.
"""

from __future__ import annotations

import logging
import os
import posixpath
import stat
from collections.abc import Callable, Sequence
from typing import Final

from api.http.refusal import Refusal, bad
from reconciler.errors import OnggiError, Refused, Unsupported
from reconciler.host.commands import TooSlow
from reconciler.host.storage_servers import ISCSI_PORT
from reconciler.locality import is_here
from reconciler.network.connecting import NotAllowed
from reconciler.network.limits import FOR_CLIENTS
from reconciler.serving.host import HostServices
from reconciler.serving.serving import Serving
from specs.host import Feature
from specs.plain import Json

log = logging.getLogger("onggi.api")

_NFS_PORT: Final = 2049


def sees_sources(serving: Serving) -> bool:
    """Whether this machine is the one whose pools they are, and has real ones."""
    return is_here(serving.settings.connect) and serving.world.snapshot.host.can(Feature.VOLUME_UPLOAD)


def check_source(host: HostServices, name: str, kind: str, source: Json) -> None:
    """Raises Refusal 400 for what isn't there, or what is there already (a volume group)."""
    match kind:
        case "logical":
            _check_group(host, name, wanted=bool(source.get("from_vg")))
            if not source.get("from_vg"):
                check_devices(name, source["devices"])
        case "netfs":
            _check_export(host, str(source["host"]), str(source["path"]))
        case "iscsi":
            _check_target(host, str(source["host"]), int(source.get("port") or ISCSI_PORT), str(source["target"]))


def _check_group(host: HostServices, name: str, *, wanted: bool) -> None:
    try:
        present = host.volume_groups.devices(name)
    except OnggiError as error:
        log.info("whether there is a volume group %s isn't known: %s", name, error)
        return
    if wanted and present is None:
        raise bad("KCHPOOL0038E", f"There is no volume group {name}; name the pool as one of /host/vgs.")
    if present is not None and not wanted:
        raise bad("KCHPOOL0036E", f"There is a volume group {name} already; choose another name.")


def check_devices(pool: str, devices: Sequence[str]) -> None:
    """Raises Refusal 400 for what is no disk or partition of this machine: LVM would tell when the pool is started."""
    for device in devices:
        if not device.startswith("/"):
            raise bad("KCHPOOL0020E", f"{device} isn't the path of a device; give one such as /dev/sdb.")
        if not _is_block_device(device):
            raise bad(
                "KCHPOOL0027E",
                f"The host has no disk or partition {device}, so it can't be added to {pool}; name one of "
                "/host/partitions by its path.",
            )


def _is_block_device(path: str) -> bool:
    try:
        return stat.S_ISBLK(os.stat(path).st_mode)  # noqa: PTH116  # a Path is no use for text that may hold a NUL
    except (OSError, ValueError):
        return False


def _check_export(host: HostServices, server: str, path: str) -> None:
    servers = host.storage_servers

    def refusal(error: OnggiError | None) -> Refusal:
        if isinstance(error, TooSlow):
            return bad("KCHPOOL0012E", f"{server} doesn't answer, so mounting {path} may block: {error}")
        why = error or "the server doesn't export it."
        return bad("KCHPOOL0013E", f"{path} of {server} can't be mounted: {why}")

    exports = _ask(lambda: servers.exports(server), lambda: servers.listens(server, _NFS_PORT), refusal)
    if exports is not None and not any(_is_within(path, export) for export in exports):
        raise refusal(None)


def _check_target(host: HostServices, server: str, port: int, target: str) -> None:
    servers = host.storage_servers

    def refusal(error: OnggiError | None) -> Refusal:
        why = error or f"{server} doesn't offer it."
        return bad("KCHISCSI0002E", f"The target {target} can't be reached: {why}")

    targets = _ask(lambda: servers.iscsi_targets(server, port), lambda: servers.listens(server, port), refusal)
    if targets is not None and target not in targets:
        raise refusal(None)


def _ask(
    offers: Callable[[], Sequence[str]], listens: Callable[[], bool], refusal: Callable[[OnggiError], Refusal]
) -> Sequence[str] | None:
    """What a server offers; None when that can't be known. Raises `refusal` when there is nobody at all."""
    with FOR_CLIENTS.turn("Other servers are"):
        return _asked(offers, listens, refusal)


def _asked(
    offers: Callable[[], Sequence[str]], listens: Callable[[], bool], refusal: Callable[[OnggiError], Refusal]
) -> Sequence[str] | None:
    try:
        return offers()
    except Unsupported:
        return None  # the program for it is missing
    except (Refused, NotAllowed) as error:
        raise refusal(error) from None
    except OnggiError as error:
        if not listens():
            raise refusal(error) from None
        log.info("a storage server tells nobody what it offers: %s", error)
        return None


def _is_within(path: str, export: str) -> bool:
    """Whether a path may be mounted of what is exported: it, a folder in it, or it as seen from NFSv4's own root."""
    wanted, offered = (posixpath.normpath(each).rstrip("/") for each in (path, export))
    return wanted == offered or wanted.startswith(f"{offered}/") or offered.endswith(wanted)
