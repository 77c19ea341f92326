"""/host: the machine that the agent runs on. It may be restarted or switched off while no VM runs, and updated."""

from __future__ import annotations

import threading
from typing import Final

from api.host.view import CPUS, HISTORY, HOST, STATS, cpus_view, history_view, host_view, stats_view
from api.http.endpoint import Answer, Call, Resource, action, get
from api.http.refusal import Refusal, bad
from api.tasks.view import TASK, task_view
from reconciler.errors import Conflict, Disconnected, Refused
from reconciler.host.cpuinfo import from_capabilities, from_sys
from reconciler.host.facts import machine_facts
from reconciler.host.packages import ALL_UPDATED
from reconciler.identity.role import Role
from reconciler.serving.tasks import Tell
from specs.plain import NewJson
from specs.reference import VIRTUAL_MACHINE

_UPDATE: Final = "/host/swupdate"
_LOOK_S: Final = 30.0
_AWAY: Final = "Whether VMs run can't be told while libvirt is away; try again when it is back."


class Host(Resource):
    """The machine."""

    address = "/host"
    tag = "Host"

    @get("The machine: its memory, CPUs and operating system.", HOST, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> NewJson:
        """As it is now."""
        return host_view(machine_facts())

    @action("reboot", "Restart the machine. No VM may run on it.", HOST, role=Role.ADMIN)
    def reboot(self, _call: Call) -> NewJson:
        """It goes down soon after the answer."""
        running = self._running()
        try:
            self.serving.host.power.reboot(running)
        except Conflict as error:
            raise bad("KCHHOST0002E", str(error)) from None
        return host_view(machine_facts())

    @action("shutdown", "Switch the machine off. No VM may run on it.", HOST, role=Role.ADMIN)
    def shutdown(self, _call: Call) -> NewJson:
        """It goes down soon after the answer."""
        running = self._running()
        try:
            self.serving.host.power.shutdown(running)
        except Conflict as error:
            raise bad("KCHHOST0001E", str(error)) from None
        return host_view(machine_facts())

    @action(
        "swupdate", "Bring the machine's packages up to date. No VM is restarted.", TASK, status=202, role=Role.ADMIN
    )
    def swupdate(self, call: Call) -> Answer:
        """A task whose message tells how far it is."""
        packages = self.serving.host.packages()
        if packages is None:
            raise Refusal(501, "This host has no package tool that onggi knows; install APT or DNF.", "KCHPKGUPD0004E")
        if self.serving.tasks.is_running(_UPDATE):
            raise Refusal(409, "An update of the packages is running; wait for its end.")

        def work(tell: Tell, stop: threading.Event) -> str:
            try:
                packages.upgrade(tell, stop=stop.is_set)
            except Refused as refused:
                if refused.reason != "NothingToUpdate":
                    raise
                return f"{ALL_UPDATED}; there was nothing to do"
            finally:
                self.serving.host.upgrades.forget()  # also when only some of them could be installed
            return ALL_UPDATED

        return Answer(task_view(self.serving.tasks.start(_UPDATE, work, call.client)), 202)

    def _running(self) -> list[str]:
        """The VMs that run now, whatever the last pass saw. Raises Transient while that can't be found out."""
        if not self.serving.connected:
            raise Disconnected(_AWAY, 5.0)
        snapshot = self.serving.operations.look_again(None, timeout_s=_LOOK_S).snapshot
        if not snapshot.connected:
            raise Disconnected(_AWAY, 5.0)
        return sorted(ref.name for ref, seen in snapshot.objects.items() if ref.kind == VIRTUAL_MACHINE and seen.active)


class HostStats(Resource):
    """What it does."""

    address = "/host/stats"
    tag = "Host"

    @get("What the machine does: CPU, memory, disks, network.", STATS, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> NewJson:
        """In the last second."""
        return stats_view(self.serving.host.sampler.current())


class HostStatsHistory(Resource):
    """What it did."""

    address = "/host/stats/history"
    tag = "Host"

    @get("What the machine did in the last minute.", HISTORY, role=Role.VIEWER)
    def read(self, _call: Call) -> NewJson:
        """Second by second, the oldest first."""
        return history_view(self.serving.host.sampler.history())


class HostCpuInfo(Resource):
    """How its CPUs are built."""

    address = "/host/cpuinfo"
    tag = "Host"

    @get("The machine's sockets, cores and threads.", CPUS, blocking=True, role=Role.VIEWER)
    def read(self, _call: Call) -> NewJson:
        """As libvirt tells it; as the kernel does, when libvirt is away or has no word for it."""
        known = self.serving.abilities()
        found = from_capabilities(known.capabilities) if known is not None else None
        return cpus_view(found if found is not None and found.threading_enabled else from_sys())
