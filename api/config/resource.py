"""/config: which onggi this is, what the host can do and lacks, and where installation images can be had."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator, Mapping

from api.config.view import (
    CAPABILITIES,
    CONFIG,
    DISTRO,
    capabilities_view,
    declared,
    distro_view,
)
from api.http.endpoint import ANYBODY, Call, Resource, get
from api.http.refusal import not_found
from api.http.schema import arr
from api.services import Services
from reconciler.host.reports import SOS
from reconciler.host.tools import Missing, is_network_manager_running, missing_programs, qemu_streams
from reconciler.identity.role import Role
from reconciler.observed.answers import Abilities
from reconciler.observed.osinfo.distros import Distro as Image
from reconciler.observed.osinfo.distros import distributions
from reconciler.version import VERSION
from specs.plain import NewJson


class Config(Resource):
    """The agent."""

    address = "/config"
    tag = "Configuration"

    @get("Which version of onggi this is.", CONFIG, role=ANYBODY)
    def read(self, call: Call) -> NewJson:
        """The port is the one that the client has used, also in front of a proxy."""
        return {"display_proxy_port": str(call.request.port), "version": VERSION}


class Capabilities(Resource):
    """What the host can do. What QEMU can is found out once for each connection to libvirt."""

    address = "/config/capabilities"
    tag = "Configuration"

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._lock = threading.Lock()
        self._streams: tuple[int, bool] | None = None  # of which connection, and whether

    @get("What the host can do, and what it lacks.", CAPABILITIES, blocking=True, role=ANYBODY)
    def read(self, _call: Call) -> NewJson:
        """Asked of libvirt, QEMU and the system."""
        serving, host = self.serving, self.serving.host
        abilities, repositories = serving.abilities(), host.repositories()
        return capabilities_view(
            abilities,
            self._missing(abilities),
            streams=self._has_streams(abilities.generation if abilities is not None else 0),
            system_report_tool=SOS.present,
            update_tool=host.packages() is not None,
            repo_mngt_tool=repositories.tool if repositories is not None else None,
            federation=serving.settings.federation,
            auth=serving.settings.auth,
            nm_running=is_network_manager_running(),
        )

    def _has_streams(self, generation: int) -> bool:
        with self._lock:
            if self._streams is None or self._streams[0] != generation:
                self._streams = generation, qemu_streams()
            return self._streams[1]

    def _missing(self, abilities: Abilities | None) -> Iterator[Missing]:
        serving = self.serving
        if not serving.connected:
            known = "what is told of it is from before" if abilities is not None else "nothing is known of it yet"
            where = serving.settings.connect
            yield Missing("libvirt", f"{where} can't be reached, and {known}; check that libvirtd runs there.")
        elif abilities is not None and abilities.driver == "QEMU" and not abilities.emulator:
            yield Missing("qemu", "QEMU is needed to run machines; install it (Debian package qemu-system-x86).")
        if serving.host.packages() is None:
            yield Missing("apt-get or dnf", "APT or DNF is needed to update packages; this host has neither.")
        if serving.host.repositories() is None:
            yield Missing("package repositories", "Neither /etc/apt nor /etc/yum.repos.d is there to be looked at.")
        if not serving.distributions.systems():
            yield Missing("osinfo-db", "It is needed to know what is on an image; install the package osinfo-db.")
        yield from missing_programs()


class _Images(Resource):
    tag = "Configuration"

    def images(self) -> Mapping[str, Image]:
        snapshot = self.serving.snapshot
        arch = snapshot.host.arch if snapshot is not None else platform.machine()
        return distributions(self.serving.distributions, arch, declared(self.serving.desired))


class Distros(_Images):
    """All of them."""

    address = "/config/distros"

    @get(
        "Installation images for the host's architecture, by name. Whether an address answers isn't tried.",
        arr(DISTRO), filters=True, blocking=True, role=Role.VIEWER,
    )  # fmt: skip
    def read(self, _call: Call) -> list[NewJson]:
        """Those that osinfo's database knows, and the Distributions of the repository, which win."""
        return [distro_view(each) for each in self.images().values()]


class Distro(_Images):
    """One of them."""

    address = "/config/distros/{name}"

    @get("An installation image.", DISTRO, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call, name: str) -> NewJson:
        """By its name."""
        found = self.images().get(name)
        if found is None:
            raise not_found("KCHDISTRO0001E", f"The distribution {name}")
        return distro_view(found)
