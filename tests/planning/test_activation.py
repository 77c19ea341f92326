"""What is decided about a network or pool that running machines use: the rules alone, without a host."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.desired.state import DesiredState, Policy, Resource
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed, Snapshot
from reconciler.planning.operations import Define, ReconnectInterfaces, SetAutostart, Start, Stop, UpdateNetwork
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Plan
from reconciler.planning.plan_options import PlanOptions
from reconciler.planning.planner import Planner
from specs.host import Host
from specs.reference import Ref
from tests.planning.values import REPOSITORY, REVISION, network, vm

NET = network("lab")
MAC = "52:54:00:00:00:01"
BR = "virbr7"


def uid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def net_xml(domain: str = "") -> str:
    named = f"<domain name='{domain}' localOnly='yes'/>" if domain else ""
    return f"""<network><name>lab</name><uuid>{uid("lab")}</uuid><bridge name='{BR}'/>{named}
      <ip address='10.1.2.1' prefix='24'><dhcp>
        <range start='10.1.2.2' end='10.1.2.254'/></dhcp></ip></network>"""


def observed_net(*plugged: str, domain: str = "", live_domain: str = "", active: bool = True) -> Observed:
    ports = {f"port-{name}": (uid(name), MAC) for name in plugged}
    return Observed(
        NET,
        uid("lab"),
        net_xml(domain),
        net_xml(live_domain) if active else None,
        "active" if active else "inactive",
        details={BRIDGE: BR, PORTS: ports} if active else {},
    )


def guest(name: str, state: str = "running", source: str = "network='lab'") -> Observed:
    def xml(where: str) -> str:
        kind = where.partition("=")[0]
        return f"""<domain><name>{name}</name><uuid>{uid(name)}</uuid><devices><interface type='{kind}'>
          <mac address='{MAC}'/><source {where}/></interface></devices></domain>"""

    defined = xml("network='lab'")
    return Observed(vm(name), uid(name), defined, xml(source) if state == "running" else None, state)


def plan(
    spec: Mapping[str, Any],
    *objects: Observed,
    approved: Iterable[str] = (),
    suspended: Iterable[Ref] = (),
    drift: str = "enforce",
    applied: bool = False,
) -> Plan:
    whole = {"mode": "isolated", "subnet": "10.1.2.0/24", **spec}
    resource = Resource(NET, uid("lab"), whole, "net.yaml", 1, policy=Policy(drift=drift))
    desired = DesiredState(REVISION, REPOSITORY, {NET: resource})
    snapshot = Snapshot(1, Host(), {each.ref: each for each in objects})
    options = PlanOptions(approved=frozenset(approved))
    return Planner().plan(
        desired,
        snapshot,
        {NET: Owned(NET, uid("lab"), facts={Fact.DIGEST: resource.digest if applied else "earlier"})},
        frozenset(suspended),
        options,
    )


def operations(made: Plan) -> list[type]:
    return [type(operation) for step in made.steps for operation in step.operations]


def test_a_restart_waits_for_an_approval_while_a_guest_runs_and_the_definition_is_changed_at_once() -> None:
    made = plan({"domain": "x.example"}, observed_net("web"), guest("web"))
    assert operations(made) == [Define]
    (staged,) = made.staged
    assert (staged.ref, staged.reason) == (NET, "NeedsApproval")
    assert "VirtualMachine/web" in staged.message
    assert staged.digest in staged.message
    assert not made.blocked
    assert made.to_json()["staged"][0]["approve"] == staged.digest


def test_the_question_is_the_same_before_and_after_the_definition_was_changed() -> None:
    before = plan({"domain": "x.example"}, observed_net("web"), guest("web"))
    after = plan({"domain": "x.example"}, observed_net("web", domain="x.example"), guest("web"))
    assert after.empty
    assert [each.digest for each in after.staged] == [each.digest for each in before.staged]


def test_another_guest_or_another_change_is_another_question() -> None:
    asked = {
        plan({"domain": "x.example"}, observed_net("web"), guest("web")).staged[0].digest,
        plan({"domain": "y.example"}, observed_net("web"), guest("web")).staged[0].digest,
        plan({"domain": "x.example"}, observed_net("web", "db"), guest("web"), guest("db")).staged[0].digest,
        plan({"active": False}, observed_net("web"), guest("web")).staged[0].digest,
    }
    assert len(asked) == 4


def test_an_approved_restart_reconnects_the_guests_and_defines_before_it_stops() -> None:
    digest = plan({"domain": "x.example"}, observed_net("web"), guest("web")).staged[0].digest
    made = plan({"domain": "x.example"}, observed_net("web"), guest("web"), approved=[digest])
    assert operations(made) == [Define, Stop, Define, Start, ReconnectInterfaces]
    assert made.steps[0].operations[-1] == ReconnectInterfaces(NET, (vm("web"),))
    assert not made.staged
    assert not made.waiting


def test_a_machine_that_is_off_is_no_reason_to_wait() -> None:
    made = plan({"domain": "x.example"}, observed_net(), guest("web", "shutoff"))
    assert operations(made) == [Define, Stop, Define, Start]
    assert not made.staged


def test_what_goes_live_goes_on_beside_a_staged_restart() -> None:
    host = {"mac": MAC, "ip": "10.1.2.9"}
    spec = {"domain": "x.example", "dhcp": {"hosts": [host]}, "autostart": True}
    made = plan(spec, observed_net("web"), guest("web"))
    assert operations(made) == [Define, UpdateNetwork, SetAutostart]
    assert made.staged


def test_stopping_it_is_staged_too_and_nothing_is_blocked() -> None:
    made = plan({"active": False}, observed_net("web"), guest("web"))
    assert made.empty
    assert not made.blocked
    assert "stopping Network/lab cuts off VirtualMachine/web" in made.staged[0].message
    approved = plan({"active": False}, observed_net("web"), guest("web"), approved=[made.staged[0].digest])
    assert operations(approved) == [Stop]


def test_a_guest_without_a_port_is_reconnected() -> None:
    made = plan({}, observed_net("web"), guest("web"), guest("db"))
    assert operations(made) == [ReconnectInterfaces]
    assert made.steps[0].operations == (ReconnectInterfaces(NET, (vm("db"),)),)


def test_a_guest_that_stands_on_the_bare_bridge_is_reconnected() -> None:
    made = plan({}, observed_net(), guest("web", source=f"bridge='{BR}'"))
    assert operations(made) == [ReconnectInterfaces]


def test_starting_a_network_that_was_stopped_below_its_guests_reconnects_them() -> None:
    assert operations(plan({}, observed_net(active=False), guest("web"))) == [Start, ReconnectInterfaces]
    assert operations(plan({}, guest("web"))) == [Define, Start, ReconnectInterfaces]


def test_a_suspended_guest_is_left_alone() -> None:
    assert plan({}, observed_net(), guest("web"), suspended=[vm("web")]).empty


def test_lost_guests_are_only_told_of_where_drift_is_only_told() -> None:
    made = plan({}, observed_net(), guest("web"), drift="warn", applied=True)
    assert made.empty
    assert [change.pointer for _, changes in made.drifted for change in changes] == ["/guests/web"]


def test_where_the_driver_tells_of_no_ports_nobody_is_taken_for_lost() -> None:
    seen = Observed(NET, uid("lab"), net_xml(), net_xml(), "active")
    assert plan({}, seen, guest("web")).empty
