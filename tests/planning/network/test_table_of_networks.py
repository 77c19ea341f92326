"""What is decided about a network: (document, definition and running network, what is remembered) -> the steps."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.identity import object_uid
from reconciler.desired.state import Policy
from reconciler.observed.snapshot import BRIDGE, PORTS, Observed
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import Define, DefineInterface
from reconciler.planning.ownership import Fact, Owned
from reconciler.planning.plan import Action, Plan
from specs.binding import parse
from specs.effect import Effect
from specs.host import Feature, Host
from tests.planning.one_object import APPLIED, Case, owned, plan_of
from tests.planning.plan_in_words import in_words
from tests.planning.values import REPOSITORY, network, vm

LAB, WEB = network("lab"), vm("web")
UID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "lab"))
DERIVED = object_uid(REPOSITORY, LAB, "")
GUEST = str(uuid.uuid5(uuid.NAMESPACE_DNS, "web"))
MAC = "52:54:00:00:00:01"
ISOLATED = {"mode": "isolated", "subnet": "10.1.2.0/24"}
NAT = {"mode": "nat", "subnet": "10.1.2.0/24"}
FIXED = {**ISOLATED, "dhcp": {"hosts": [{"mac": MAC, "ip": "10.1.2.9"}]}}
WARN, IGNORE = Policy(drift="warn"), Policy(drift="ignore")
EVERYTHING = Host(features=frozenset(Feature))


def xml(domain: str = "", *, gateway: str = "10.1.2.1", mode: str = "", ip: bool = True, host: str = "") -> str:
    named = f"<domain name='{domain}' localOnly='yes'/>" if domain else ""
    forward = f"<forward mode='{mode}'/>" if mode else ""
    fixed = f"<host mac='{MAC}' ip='{host}'/>" if host else ""
    dhcp = f"<dhcp><range start='10.1.2.2' end='10.1.2.254'/>{fixed}</dhcp>"
    address = f"<ip address='{gateway}' prefix='24'>{dhcp}</ip>" if ip else ""
    bridge = "br0" if mode == "bridge" else "virbr7"
    return f"<network><name>lab</name><uuid>{UID}</uuid>{forward}<bridge name='{bridge}'/>{named}{address}</network>"


def off(text: str = "", **more: Any) -> Observed:
    return Observed(LAB, UID, text or xml(), **{"state": "inactive", **more})


def on(text: str = "", live: str = "", *, plugged: bool = True, **more: Any) -> Observed:
    ports = {"port": (GUEST, MAC)} if plugged else {}
    details = {BRIDGE: "virbr7", PORTS: ports}
    return Observed(LAB, UID, text or xml(), live or text or xml(), "active", details=details, **more)


def guest(*, running: bool = True) -> Observed:
    text = (
        f"<domain><name>web</name><uuid>{GUEST}</uuid><devices><interface type='network'><mac address='{MAC}'/>"
        "<source network='lab'/></interface></devices></domain>"
    )
    return Observed(WEB, GUEST, text, text if running else None, "running" if running else "shutoff")


OURS = owned(LAB, UID)  # an earlier revision of the document was applied
AS_APPLIED = owned(LAB, UID, digest=APPLIED)
ADOPTED = replace(OURS, created=False)
LAST = LastSeen(UID, xml("kept.example"), autostart=True)
CASES = [
    # Made.
    Case("one that is nowhere is defined and started", ISOLATED, None, ["+ lab: define, start"]),
    Case("not started when it is to be off", {**ISOLATED, "active": False}, None, ["+ lab: define"]),
    Case("nor started with the host unless its document says which", {**ISOLATED, "autostart": True}, None,
         ["+ lab: define, start, autostart"]),
    Case("or that it isn't", {**ISOLATED, "autostart": False}, None, ["+ lab: define, start, no autostart"]),
    Case("machines that ran on it get it back", ISOLATED, None, ["+ lab: define, start, reconnect web"],
         guests=[guest()]),
    Case("on a VLAN it needs a bridge of the host", {"mode": "bridge", "interface": "eth0", "vlan": 7}, None,
         ["+ lab: bridge, define, start"], host=EVERYTHING),
    Case("which not every connection makes", {"mode": "bridge", "interface": "eth0", "vlan": 7}, None,
         ["! lab DependencyNotReady"]),
    Case("what vanished is made again as it was", ISOLATED, None, ["+ lab: define, start, autostart"],
         entry=AS_APPLIED, last_seen=LAST),
    Case("not started with the host when it wasn't", ISOLATED, None, ["+ lab: define, start"], entry=AS_APPLIED,
         last_seen=replace(LAST, autostart=False)),
    Case("but only told where drift is only told", ISOLATED, None, ["≠ lab /"], entry=AS_APPLIED, policy=WARN),
    Case("or not even told", ISOLATED, None, [], entry=AS_APPLIED, policy=IGNORE),
    Case("a new document isn't drift", ISOLATED, None, ["+ lab: define, start"], entry=OURS, policy=WARN),
    # Whose.
    Case("a stranger's of the same name is left alone", ISOLATED, Observed(LAB, "another", xml()),
         ["! lab OwnedByOther"]),
    Case("and taken over when its document says so", {**ISOLATED, "domain": "x.example"},
         off(), ["~ lab: define"], policy=Policy(adopt=True)),
    Case("which starts or stops nothing that its document doesn't speak of", ISOLATED, off(), [],
         policy=Policy(adopt=True)),
    # Changed.
    Case("one that is as declared is left alone", ISOLATED, on(), [], entry=OURS),
    Case("it is started when it is off", ISOLATED, off(), ["~ lab: start"], entry=OURS),
    Case("not when it was taken over so", ISOLATED, off(), [], entry=ADOPTED),
    Case("nor when it is to be off", {**ISOLATED, "active": False}, off(), [], entry=OURS),
    Case("an edit is defined, and what can't be had while it runs restarts it", {**ISOLATED, "domain": "x.example"},
         on(), ["∓ lab: define, stop, define, start"], entry=OURS),
    Case("of one that is off it is only defined", {**ISOLATED, "domain": "x.example", "active": False}, off(),
         ["~ lab: define"], entry=OURS),
    Case("and one that is to run is started", {**ISOLATED, "domain": "x.example"}, off(),
         ["~ lab: define, start"], entry=OURS),
    Case("what only the running one lacks restarts it", {**ISOLATED, "domain": "x.example"},
         on(xml("x.example"), xml()), ["∓ lab: stop, start"], entry=OURS),
    Case("a fixed address is told to the running one", FIXED,
         on(), ["~ lab: define, live add ip-dhcp-host"], entry=OURS),
    Case("also when only that lacks it", FIXED,
         on(xml(host="10.1.2.9"), xml()), ["~ lab: live add ip-dhcp-host"], entry=OURS),
    Case("one that is off is told nothing", {**FIXED, "active": False},
         off(), ["~ lab: define"], entry=OURS),
    Case("it is stopped", {**ISOLATED, "active": False}, on(), ["~ lab: stop"], entry=OURS),
    Case("and changed before that", {**ISOLATED, "active": False, "domain": "x.example"}, on(),
         ["~ lab: define, stop"], entry=OURS),
    Case("the start with the host is a setting of its own", {**ISOLATED, "autostart": True}, on(),
         ["~ lab: autostart"], entry=OURS),
    Case("both ways", {**ISOLATED, "autostart": False}, on(autostart=True), ["~ lab: no autostart"], entry=OURS),
    Case("and nobody's business when its document doesn't speak of it", ISOLATED, on(autostart=True), [], entry=OURS),
    # Drift.
    Case("what was changed by hand is put back", {**NAT, "active": False}, off(), ["~ lab: define"], entry=AS_APPLIED),
    Case("or only told", {**NAT, "active": False}, off(), ["≠ lab /mode"], entry=AS_APPLIED, policy=WARN),
    Case("or nothing", {**NAT, "active": False}, off(), [], entry=AS_APPLIED, policy=IGNORE),
    Case("an edit of the document is made all the same", {**NAT, "active": False}, off(), ["~ lab: define"],
         entry=OURS, policy=WARN),
    Case("what nobody remembers applying is taken for drift", {**NAT, "active": False}, off(), ["≠ lab /mode"],
         resource={"uid": UID}, policy=Policy(adopt=True, drift="warn")),
    Case("that it is off is drift, too", ISOLATED, off(), ["≠ lab /active"], entry=AS_APPLIED, policy=WARN),
    Case("not of one that was taken over so", ISOLATED, off(), [], policy=WARN,
         entry=replace(AS_APPLIED, created=False)),
    Case("a restart that its document asked for is none of it", {**ISOLATED, "domain": "x.example"},
         on(xml("x.example"), xml()), ["∓ lab: stop, start"], entry=AS_APPLIED, policy=WARN),
    Case("and that it doesn't start with the host", {**ISOLATED, "autostart": True}, on(), ["≠ lab /autostart"],
         entry=AS_APPLIED, policy=WARN),
    Case("of what is suspended it is told and not put back", {**NAT, "active": False}, off(),
         ["≠ lab /mode (suspended)"], entry=AS_APPLIED, suspended=[LAB]),
    # Guests.
    Case("a restart below a running guest waits for its end or a person", {**ISOLATED, "domain": "x.example"},
         on(), ["~ lab: define", "? lab NeedsApproval", "… lab /domain"], entry=OURS, guests=[guest()]),
    Case("what only waits is no step", {**ISOLATED, "domain": "x.example"}, on(xml("x.example"), xml()),
         ["? lab NeedsApproval", "… lab /domain"], entry=OURS, guests=[guest()]),
    Case("so does a stop", {**ISOLATED, "active": False}, on(), ["? lab NeedsApproval", "… lab /active"], entry=OURS,
         guests=[guest()]),
    Case("all else of the document goes on", {**ISOLATED, "active": False, "autostart": True}, on(),
         ["~ lab: autostart", "? lab NeedsApproval", "… lab /active"], entry=OURS, guests=[guest()]),
    Case("a guest that is off is none", {**ISOLATED, "active": False}, on(), ["~ lab: stop"], entry=OURS,
         guests=[guest(running=False)]),
    Case("a guest that lost it is plugged in again", ISOLATED, on(plugged=False), ["~ lab: reconnect web"],
         entry=OURS, guests=[guest()]),
    Case("also when it is off", ISOLATED, off(), ["~ lab: start, reconnect web"], entry=OURS, guests=[guest()]),
    Case("not while that is suspended", ISOLATED, on(plugged=False), [], entry=OURS, guests=[guest()], suspended=[WEB]),
    # Undefined while it runs.
    Case("one that was undefined is made persistent again", ISOLATED, on(persistent=False), ["~ lab: define"],
         entry=OURS),
    Case("as it was, the start with the host included", ISOLATED, on(persistent=False), ["~ lab: define, autostart"],
         entry=OURS, last_seen=replace(LAST, xml=xml())),
    Case("unless its document says otherwise", {**ISOLATED, "autostart": False}, on(persistent=False),
         ["~ lab: define"], entry=OURS, last_seen=replace(LAST, xml=xml())),
    Case("that it was undefined is drift", ISOLATED, on(persistent=False), ["≠ lab /persistent"], entry=AS_APPLIED,
         policy=WARN),
    Case("one that is only taken over stays as it is", ISOLATED, on(persistent=False), [], policy=Policy(adopt=True)),
    # Subnets.
    Case("a subnet is chosen for one that needs one", {"mode": "isolated"}, None, ["+ lab: define, start"]),
    Case("none is left", {"mode": "isolated"}, None, ["! lab DependencyNotReady"],
         host=Host(used_subnets=("10.0.0.0/8", "192.168.0.0/16"))),
    Case("none is chosen for the host's own bridge", {"mode": "bridge", "bridge": "br0"}, None,
         ["+ lab: define, start"], host=Host(used_subnets=("10.0.0.0/8", "192.168.0.0/16"))),
    Case("a bridge that becomes a network gets one", {"mode": "nat", "active": False},
         off(xml(mode="bridge", ip=False)), ["~ lab: define"], entry=ADOPTED),
    Case("one of ours that lost its addresses gets them again", {"mode": "isolated", "active": False},
         off(xml(ip=False)), ["~ lab: define"], entry=OURS),
    Case("one that was taken over without any may have none", {"mode": "isolated", "active": False},
         off(xml(ip=False)), [], entry=ADOPTED),
    Case("and of which a document says no mode, too", {"active": False}, off(xml(ip=False)), [], entry=OURS),
    Case("a gateway in the middle of one subnet isn't any in another", {"subnet": "10.9.9.0/24", "active": False},
         off(xml(gateway="10.1.2.100")), ["~ lab: define"], entry=OURS),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_is_done_about_a_network(case: Case) -> None:
    assert in_words(plan_of(case, LAB, UID)) == list(case.plan)


def planned(spec: dict[str, Any], there: Observed | None = None, **more: Any) -> Plan:
    return plan_of(Case("", spec, there, [], **more), LAB, UID)


def defined(plan: Plan) -> Any:
    [step] = plan.steps
    return parse(next(each.xml for each in step.operations if isinstance(each, Define)))


def test_a_chosen_subnet_is_remembered_and_chosen_again() -> None:
    [step] = planned({"mode": "isolated"}, host=Host(used_subnets=("192.168.123.0/24",))).steps
    assert step.owned is not None
    assert step.owned.facts[Fact.SUBNET] == "192.168.124.0/24"
    assert step.owned.created
    again = planned({"mode": "isolated"}, entry=owned(LAB, UID, facts={Fact.SUBNET.value: "192.168.77.0/24"}))
    assert defined(again).find("ip").get("address") == "192.168.77.1"
    healed = planned(
        {"mode": "isolated"}, off(xml(ip=False)), entry=owned(LAB, UID, facts={Fact.SUBNET.value: "192.168.77.0/24"})
    )
    assert defined(healed).find("ip").get("address") == "192.168.77.1"


def test_what_a_network_has_is_remembered_for_when_it_is_gone_unless_its_document_says_it() -> None:
    [record] = planned({"mode": "isolated"}, on(), entry=OURS).records
    assert record.facts[Fact.SUBNET] == "10.1.2.0/24"
    [record] = planned(ISOLATED, on(), entry=OURS).records
    assert Fact.SUBNET not in record.facts
    [record] = planned({"mode": "isolated"}, on(xml(ip=False)), entry=ADOPTED).records
    assert Fact.SUBNET not in record.facts


def test_what_vanished_comes_back_with_the_subnet_and_all_that_it_had() -> None:
    gone = LastSeen(UID, xml("kept.example"))
    made = planned({"mode": "isolated"}, entry=ADOPTED, last_seen=gone)
    assert (defined(made).find("domain").get("name"), defined(made).find("ip").get("address")) == (
        "kept.example",
        "10.1.2.1",
    )
    [step] = made.steps
    assert (step.action, step.why) == (
        Action.CREATE,
        "gone from the host; made again as it was last seen there, with what its document says",
    )
    assert step.owned is not None
    assert not step.owned.created, "whose it was stays known: it was there before onggi"


@pytest.mark.parametrize(
    ("case", "why", "action"),
    [
        (Case("", ISOLATED, None, []), "declared, and not on the host", Action.CREATE),
        (Case("", ISOLATED, off(), [], entry=OURS), "its document changed", Action.UPDATE),
        (
            Case("", ISOLATED, off(), [], entry=AS_APPLIED),
            "changed on the host since it was last applied",
            Action.UPDATE,
        ),
        (Case("", ISOLATED, replace(off(), uid=DERIVED), []), "differs from its document", Action.UPDATE),
        (
            Case("", NAT, off(), [], policy=Policy(adopt=True)),
            "taken over, as its annotation onggi/adopt says",
            Action.UPDATE,
        ),
        (
            Case("", {**ISOLATED, "domain": "x.example"}, on(), [], entry=OURS),
            "its document changed; it is restarted",
            Action.REPLACE,
        ),
        (
            Case("", ISOLATED, on(persistent=False), [], entry=OURS),
            "undefined on the host while it is active; made persistent again",
            Action.UPDATE,
        ),
    ],
)
def test_a_step_says_why(case: Case, why: str, action: Action) -> None:
    [step] = plan_of(case, LAB, DERIVED if case.entry is None and not case.policy.adopt else UID).steps
    assert (step.why, step.action, step.path, step.line) == (why, action, "it.yaml", 1)
    assert step.drift == (case.entry is AS_APPLIED)
    assert step.owned is not None
    assert step.owned.created is not case.policy.adopt


def fields(plan: Plan) -> list[tuple[str, Any, Any, Effect]]:
    [step] = plan.steps
    return [(change.pointer, change.old, change.new, change.effect) for change in step.changes]


def test_a_step_tells_each_difference_once() -> None:
    spec = {**FIXED, "domain": "x.example", "autostart": True}
    assert fields(planned(spec, on(), entry=OURS)) == [
        (f"/dhcp/hosts/{MAC}", None, {"mac": MAC, "ip": "10.1.2.9"}, Effect.LIVE),
        ("/domain", None, "x.example", Effect.NEXT_BOOT),
        ("/autostart", False, True, Effect.LIVE),
    ]
    only_running = on(xml("x.example"), xml())
    assert fields(planned({**ISOLATED, "domain": "x.example"}, only_running, entry=OURS)) == [
        ("/domain", None, "x.example", Effect.NEXT_BOOT)
    ]
    waiting = {**ISOLATED, "active": False, "autostart": True}
    assert [pointer for pointer, *_ in fields(planned(waiting, on(), entry=OURS, guests=[guest()]))] == ["/autostart"]
    assert fields(planned(ISOLATED, None)) == [
        ("/mode", None, "isolated", Effect.LIVE),
        ("/subnet", None, "10.1.2.0/24", Effect.LIVE),
    ]


def test_what_waits_for_a_guest_says_which_and_with_which_word_it_need_not() -> None:
    [waiting] = planned({**ISOLATED, "domain": "x.example"}, on(), entry=OURS, guests=[guest()]).waiting
    assert waiting.waits_for == "the time when none of its guests runs: VirtualMachine/web"
    [change] = waiting.changes
    assert (change.note, change.effect) == ("would cut off VirtualMachine/web", Effect.NEXT_BOOT)


def test_a_document_that_waits_for_a_stop_is_not_applied_yet_and_one_that_waits_for_a_restart_is() -> None:
    stop = planned({**ISOLATED, "active": False}, on(), entry=OURS, guests=[guest()])
    assert [each.facts[Fact.DIGEST] for each in stop.records] == ["d0"]
    restart = planned({**ISOLATED, "domain": "x.example"}, on(xml("x.example"), xml()), entry=OURS, guests=[guest()])
    assert [each.facts[Fact.DIGEST] for each in restart.records] == [APPLIED]


def test_the_bridge_over_a_vlan_is_named_after_its_interface_and_tag() -> None:
    vlan = {"mode": "bridge", "interface": "eth0", "vlan": 7}
    [step] = planned(vlan, host=EVERYTHING).steps
    bridge = step.operations[0]
    assert isinstance(bridge, DefineInterface)
    assert "eth0" in bridge.xml
    assert defined(planned(vlan, host=EVERYTHING)).find("bridge").get("name") == bridge.name
    moved = planned({**vlan, "active": False}, off(xml(mode="bridge", ip=False)), entry=OURS, host=EVERYTHING)
    assert in_words(moved) == ["~ lab: bridge, define"]


def test_a_gateway_that_does_not_fit_the_new_subnet_moves_with_it_and_is_told() -> None:
    spec = {"subnet": "10.9.9.0/24", "active": False}
    moved = planned(spec, off(xml(gateway="10.1.2.100")), entry=OURS)
    assert [pointer for pointer, *_ in fields(moved)] == ["/subnet", "/gateway"]
    assert defined(moved).find("ip").get("address") == "10.9.9.1"
    assert [pointer for pointer, *_ in fields(planned(spec, off(), entry=OURS))] == ["/subnet"]
    said = planned({**spec, "gateway": "10.9.9.50"}, off(xml(gateway="10.1.2.100")), entry=OURS)
    assert defined(said).find("ip").get("address") == "10.9.9.50"


def test_what_is_made_again_as_it_was_stays_whose_it_was_and_what_is_made_anew_is_ours() -> None:
    def created(known: Owned, last: LastSeen | None) -> bool:
        [step] = planned(ISOLATED, entry=known, last_seen=last).steps
        assert step.owned is not None
        return step.owned.created

    assert [created(known, LAST) for known in (OURS, ADOPTED)] == [True, False]
    assert [created(known, None) for known in (OURS, ADOPTED)] == [True, True]


def test_a_network_gets_the_subnet_that_it_lacks_chosen_only_where_none_is_declared() -> None:
    from_bridge = planned({"mode": "nat", "active": False}, off(xml(mode="bridge", ip=False)), entry=ADOPTED)
    assert defined(from_bridge).find("ip").get("address") == "192.168.123.1"
    healed = planned({**ISOLATED, "active": False}, off(xml(ip=False)), entry=OURS)
    assert defined(healed).find("ip").get("address") == "10.1.2.1"


def test_what_is_defined_is_changed_as_it_is_not_as_it_was_seen_before() -> None:
    changed = planned({**NAT, "active": False}, off(), entry=OURS, last_seen=LAST)
    assert defined(changed).find("domain") is None


def test_what_was_undefined_is_defined_as_it_was_before_not_as_it_runs() -> None:
    made = planned(ISOLATED, on(persistent=False), entry=OURS, last_seen=LAST)
    assert defined(made).find("domain").get("name") == "kept.example"
    assert [pointer for pointer, *_ in fields(made)] == ["/persistent"]
