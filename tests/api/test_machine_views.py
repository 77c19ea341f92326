"""A list of machines is told from memory: one that is odd hides no other, and nothing is worked out twice."""

from __future__ import annotations

from dataclasses import replace

from api.vms.view import machine_views
from reconciler.desired.state import DesiredState, Resource
from reconciler.loop.passes import World
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.observed.statistics import MachineStatistics
from reconciler.planning.plan import Plan
from reconciler.serving.client import Client
from reconciler.serving.sight import Sight
from reconciler.source.tree import Revision
from specs.host import Host
from specs.reference import Ref

XML = """<domain type='kvm'{id}><name>x</name><memory unit='MiB'>2048</memory>
<currentMemory unit='MiB'>1024</currentMemory>
<vcpu current='1'>2</vcpu><os><type>hvm</type></os><devices>
<graphics type='vnc' port='{port}' autoport='yes' listen='::1' passwdValidTo='2001-01-01T00:00:00'/>
</devices></domain>"""
EVERYTHING = Sight(Client("ada"), lambda: world())


def ref(name: str) -> Ref:
    return Ref("VirtualMachine", name)


def world(*machines: Observed, **resources: Resource) -> World:
    desired = DesiredState(Revision("main", "sha1", "0"), "id", {ref(name): each for name, each in resources.items()})
    return World(desired, Snapshot(1, Host(), {each.ref: each for each in machines}), Plan("r"))


def off(name: str) -> Observed:
    return Observed(ref(name), "uuid", XML.format(id="", port="-1"), state="shutoff")


def running(name: str) -> Observed:
    return replace(off(name), live_xml=XML.format(id=" id='1'", port="5901"), state="running")


def test_a_machine_that_can_t_be_read_hides_no_other() -> None:
    odd = Observed(ref("odd"), "uuid", "<domain", state="shutoff")
    assert [view["name"] for view in machine_views(world(odd, off("b"), off("A")), {}, EVERYTHING)] == [
        "A",
        "b",
    ]


def test_what_only_a_running_machine_has() -> None:
    busy = MachineStatistics(cpu_utilization=12.5)
    on, stopped = machine_views(world(running("a"), off("b")), {ref("a"): busy, ref("b"): busy}, EVERYTHING)
    assert (on["state"], on["memory"], on["cpus"], on["screenshot"]) == ("running", 1024, 1, "/vms/a/screenshot")
    assert (on["graphics"]["port"], on["graphics"]["listen"]) == (5901, "::1")
    assert on["graphics"]["passwdValidTo"] < 0, "its time is over"
    assert on["stats"]["cpu_utilization"] == 12.5
    assert (stopped["screenshot"], stopped["graphics"]["port"]) == (None, None)
    assert stopped["stats"] == {
        "cpu_utilization": 0, "net_throughput": 0, "net_throughput_peak": 100, "io_throughput": 0,
        "io_throughput_peak": 100, "mem_utilization": 0,
    }  # fmt: skip


def test_a_view_follows_its_document_and_its_machine() -> None:
    machine = off("a")
    assert machine_views(world(machine), {}, EVERYTHING)[0]["icon"] == "images/icon-vm.png"
    debian = Resource(ref("a"), "uuid", {"osDistro": "debian", "access": {"users": ["ada"]}}, "a.yaml", 1)
    (view,) = machine_views(world(machine, a=debian), {}, EVERYTHING)
    assert (view["icon"], view["users"], view["groups"]) == ("images/icon-debian.png", ["ada"], [])
    own = replace(debian, spec={"icon": "images/mine.png"})
    assert machine_views(world(machine, a=own), {}, EVERYTHING)[0]["icon"] == "images/mine.png"
    assert machine_views(world(running("a"), a=own), {}, EVERYTHING)[0]["state"] == "running"
