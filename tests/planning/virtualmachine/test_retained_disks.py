"""Whatever becomes of a document, a machine keeps what its guest wrote until a person says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import CreateVolume, Define, EditLive
from reconciler.planning.ownership import Fact
from reconciler.planning.plan import Blocked, Plan
from reconciler.status.one_pass import Pass
from reconciler.status.status import conditions
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.desired.documents import document, vm
from tests.planning.rehearsed_host import RehearsedHost, disk_paths, pool, pulled, steps_of

WEB = Ref(VIRTUAL_MACHINE, "web")
POOLS = {"default.yaml": pool("default"), "fast.yaml": pool("fast")}
ROOT: dict[str, Any] = {"name": "root", "size": "16MiB"}
DATA: dict[str, Any] = {"name": "data", "size": "32MiB"}


def files(*disks: dict[str, Any], more: dict[str, str] | None = None, **fields: Any) -> dict[str, str | bytes]:
    return {**POOLS, "web.yaml": vm("web", {"disks": list(disks), **fields}), **(more or {})}


@pytest.fixture(params=[True, False], ids=["running", "off"])
def host(request: pytest.FixtureRequest) -> RehearsedHost:
    made = RehearsedHost(running=request.param)
    made.apply(files(ROOT, DATA, runStrategy="Always" if request.param else "Halted"))
    assert made.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2"]
    return made


def strategy(host: RehearsedHost) -> dict[str, str]:
    return {"runStrategy": "Always" if host.running else "Halted"}


def made(plan: Plan) -> list[str]:
    return [each.ref.name for step in plan.steps for each in step.operations if isinstance(each, CreateVolume)]


def waits(plan: Plan) -> list[Blocked]:
    assert all(item.reason == "NeedsApproval" for item in plan.blocked), plan.blocked
    assert len({item.digest for item in plan.blocked}) == 1
    return list(plan.blocked)


def nothing_lost(host: RehearsedHost, plan: Plan) -> None:
    assert pulled(plan, host.snapshot(), [WEB]) == set()


def test_a_renamed_entry_keeps_its_volume_and_nothing_is_done(host: RehearsedHost) -> None:
    renamed = files({**ROOT, "name": "system"}, DATA, **strategy(host))
    plan = host.plan(renamed)
    assert (plan.steps, plan.blocked) == ((), ())
    assert "keeps its volume default/web-root.qcow2" in plan.notes[0]
    host.perform(plan)
    again = host.plan(renamed)
    assert (again.steps, again.blocked, again.notes, again.records) == ((), (), (), ())


def test_a_renamed_entry_is_the_same_disk_after_the_next_changes_too(host: RehearsedHost) -> None:
    system = {**ROOT, "name": "system"}
    host.apply(files(system, DATA, **strategy(host)))
    host.apply(files(system, {**DATA, "name": "store"}, **strategy(host)))
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2"]
    plan = host.apply(
        files({**system, "size": "64MiB"}, {**DATA, "name": "store"}, {"name": "logs", "size": "8MiB"},
              title="x", **strategy(host))
    )  # fmt: skip
    assert not plan.blocked
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2", "/default/web-logs.qcow2"]
    grown = host.objects[Ref.volume("default", "web-root.qcow2")]
    assert grown.config["capacity"] == 64 << 20


def test_a_renamed_entry_is_not_the_same_disk_in_another_pool(host: RehearsedHost) -> None:
    system, store = {**ROOT, "name": "system"}, {**DATA, "name": "store"}
    host.apply(files(system, DATA, **strategy(host)))
    host.apply(files(system, store, **strategy(host)))
    plan = host.apply(files({**system, "pool": "fast"}, {**store, "pool": "fast"}, **strategy(host)))
    assert waits(plan)
    assert made(plan) == []
    plan = host.apply(files(system, store, **strategy(host)))
    assert not plan.blocked, "both are what they were when that is taken back"
    assert made(plan) == []
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2"]


def test_without_the_ledger_a_renamed_entry_is_recognised_by_the_machine_alone(host: RehearsedHost) -> None:
    renamed = files({**ROOT, "name": "system"}, DATA, **strategy(host))
    host.perform(host.plan(renamed))
    host.ledger.clear()
    host.planner = type(host.planner)()
    plan = host.plan(renamed)
    nothing_lost(host, plan)
    assert made(plan) == []
    assert not plan.blocked


def test_a_renamed_entry_is_not_forgotten_with_a_machine_that_vanished(host: RehearsedHost) -> None:
    renamed = files({**ROOT, "name": "system"}, DATA, **strategy(host))
    host.apply(renamed)
    del host.objects[WEB]
    host.apply(renamed)
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2"]


@pytest.mark.parametrize(
    ("disks", "remedy"),
    [
        ([{**ROOT, "pool": "fast"}, DATA], "pool: default"),
        ([{**ROOT, "format": "raw"}, DATA], "volume: default/web-root.qcow2"),
        ([{**ROOT, "name": "system"}, {**DATA, "name": "store"}], "volume: default/web-"),
        ([{**ROOT, "name": "system", "size": "20GiB"}, DATA], "volume: default/web-root.qcow2"),
        ([{"name": "root", "volume": "fresh.qcow2"}, DATA], "volume: default/web-root.qcow2"),
    ],
    ids=["another pool", "another format", "two at once", "another size", "a volume of another document"],
)
def test_what_may_be_another_disk_is_not_made_in_its_place_until_a_person_says_so(
    host: RehearsedHost, disks: list[dict[str, Any]], remedy: str
) -> None:
    fresh = document("StorageVolume", "fresh.qcow2", {"pool": "default", "capacity": "16MiB", "format": "qcow2"})
    wish = files(*disks, more={"fresh.yaml": fresh}, title="new", **strategy(host)) if "volume" in disks[0] else files(
        *disks, title="new", **strategy(host)
    )  # fmt: skip
    plan = host.plan(wish)
    nothing_lost(host, plan)
    assert made(plan) == []
    waiting = waits(plan)
    assert any(remedy in item.message for item in waiting)
    assert [item.ref for item in waiting if item.part] == [WEB]
    assert [change.pointer for change in steps_of(plan, "web")[0].changes] == ["/title"], "the rest goes on"
    host.perform(plan)
    assert len(host.disks("web")) == 2

    assert host.plan(wish).blocked[0].digest == waiting[0].digest, "the question stays the same"
    host.approved.add(waiting[0].digest)
    host.apply(wish)
    host.apply(wish)
    assert host.plan(wish).empty
    assert Ref.volume("default", "web-root.qcow2") in host.objects, "the volume stays"


def test_a_removed_disk_stays_until_its_removal_is_approved_and_everything_else_goes_on(host: RehearsedHost) -> None:
    wish = files(ROOT, title="new", memory=256, **strategy(host))
    plan = host.plan(wish)
    nothing_lost(host, plan)
    [waiting] = waits(plan)
    assert (waiting.ref, waiting.part, waiting.path) == (WEB, "/disks", "web.yaml")
    assert "default/web-data.qcow2" in waiting.message
    assert f"onggi approve {waiting.digest}" in waiting.message
    host.perform(plan)
    assert host.objects[WEB].config["title"] == "new"
    assert len(host.disks("web")) == 2
    assert host.plan(wish).empty

    host.approved.add(waiting.digest)
    plan = host.apply(wish)
    assert host.disks("web") == ["/default/web-root.qcow2"]
    assert any(isinstance(each, EditLive) for each in steps_of(plan, "web")[0].operations) is host.running
    assert steps_of(plan, "web")[0].drift is False
    assert not host.plan(wish).blocked


def test_what_a_guest_did_not_let_go_is_told_until_it_is_gone() -> None:
    host = RehearsedHost()
    cards = {"interfaces": [{"network": "lan"}, {"network": "dmz"}]}
    nets = {name: document("Network", name, {"mode": "nat"}) for name in ("lan", "dmz")}
    host.apply(files(ROOT, DATA, runStrategy="Always", more=nets, **cards))
    running = host.objects[WEB].live_xml
    wish = files(ROOT, runStrategy="Always", more=nets, interfaces=cards["interfaces"][:1])
    host.approved.add(host.plan(wish).blocked[0].digest)
    host.apply(wish)
    host.objects[WEB] = replace(host.objects[WEB], live_xml=running)  # the guest still has both
    plan = host.plan(wish)
    [waiting] = plan.waiting
    assert [change.pointer for change in waiting.changes] == ["/disks/default/web-data.qcow2"]
    [asked] = [each for each in steps_of(plan, "web")[0].operations if isinstance(each, EditLive)]
    assert asked.verb == "detach"
    assert "<interface" in asked.value
    assert not plan.blocked


def test_a_disk_that_comes_back_into_the_document_was_never_away(host: RehearsedHost) -> None:
    host.apply(files(ROOT, **strategy(host)))
    plan = host.apply(files(ROOT, DATA, **strategy(host)))
    nothing_lost(host, plan)
    assert not plan.blocked
    assert host.plan(files(ROOT, DATA, **strategy(host))).empty


@pytest.mark.parametrize("disks", [None, []], ids=["no list", "an empty list"])
@pytest.mark.parametrize("complete", [{}, {"onggi/complete": "disks"}], ids=["", "complete"])
def test_a_document_without_disks_takes_none_away(
    host: RehearsedHost, disks: list[Any] | None, complete: dict[str, str]
) -> None:
    spec = {"title": "x", **({} if disks is None else {"disks": disks}), **strategy(host)}
    plan = host.plan({**POOLS, "web.yaml": vm("web", spec, annotations=complete)})
    nothing_lost(host, plan)
    assert waits(plan)


def test_the_volume_may_still_be_named_in_place_of_a_renamed_entry(host: RehearsedHost) -> None:
    plan = host.plan(files({"name": "system", "volume": "web-root.qcow2"}, DATA, **strategy(host)))
    nothing_lost(host, plan)
    assert (plan.steps, plan.blocked) == ((), ())


def test_a_disk_whose_volume_is_gone_and_one_that_is_only_read_go_without_a_word() -> None:
    host = RehearsedHost(running=False)
    host.apply(files(ROOT, DATA, {**DATA, "name": "docs", "readOnly": True}, runStrategy="Halted"))
    del host.objects[Ref.volume("default", "web-data.qcow2")]
    plan = host.apply(files(ROOT, runStrategy="Halted"))
    assert not plan.blocked
    assert host.disks("web") == ["/default/web-root.qcow2"]


def test_what_a_disk_that_stays_has_no_other_device_gets() -> None:
    host = RehearsedHost(running=False)
    off: dict[str, Any] = {"runStrategy": "Halted"}
    host.apply(files({**ROOT, "target": "vda", "bootOrder": 1}, {**DATA, "target": "vdb"}, **off))
    before = host.objects[WEB].config["disks"]
    plan = host.apply(files({**DATA, "target": "vda", "bootOrder": 1}, **off))
    assert waits(plan)
    assert host.objects[WEB].config["disks"] == before


@pytest.mark.parametrize("place", [{"target": "vda"}, {"bootOrder": 1}], ids=str)
def test_a_new_disk_does_not_take_the_place_of_one_that_has_it_without_a_word(place: dict[str, Any]) -> None:
    host = RehearsedHost(running=False)
    host.apply(files({**ROOT, **place}, runStrategy="Halted"))
    plan = host.apply(files(ROOT, {**DATA, **place}, runStrategy="Halted", title="x"))
    [refused] = plan.blocked
    assert (refused.ref, refused.reason, refused.part) == (WEB, "PlaceTaken", "/disks")
    assert "/default/web-root.qcow2" in refused.message
    assert host.disks("web") == ["/default/web-root.qcow2"]
    assert host.objects[WEB].config["title"] == "x"
    plan = host.apply(files({**ROOT, **{key: "vdc" if key == "target" else 2 for key in place}}, {**DATA, **place},
                            runStrategy="Halted"))  # fmt: skip
    assert not plan.blocked
    assert len(host.disks("web")) == 2


def test_a_disk_that_moves_to_another_machine_is_not_in_both() -> None:
    def wish(web: list[dict[str, Any]], other: list[dict[str, Any]]) -> dict[str, str | bytes]:
        volume = document("StorageVolume", "shared.qcow2", {"pool": "default", "capacity": "8MiB", "format": "qcow2"})
        off: dict[str, Any] = {"runStrategy": "Halted"}
        return {
            **POOLS, "shared.yaml": volume, "web.yaml": vm("web", {"disks": web, **off}),
            "db.yaml": vm("db", {"disks": other, **off}),
        }  # fmt: skip

    shared = {"name": "shared", "volume": "shared.qcow2"}
    host = RehearsedHost(running=False)
    host.apply(wish([ROOT, shared], [ROOT]))
    plan = host.apply(wish([ROOT], [ROOT, shared]))
    assert {item.ref.name for item in waits(plan)} == {"web", "db"}
    assert host.disks("db") == ["/default/db-root.qcow2"]
    host.approved.add(plan.blocked[0].digest)
    plan = host.apply(wish([ROOT], [ROOT, shared]))
    assert WEB in steps_of(plan, "db")[0].after, "it is let go before it is given"
    assert host.disks("db") == ["/default/db-root.qcow2", "/default/shared.qcow2"]
    assert host.disks("web") == ["/default/web-root.qcow2"]


def test_a_new_machine_waits_for_a_disk_that_another_one_still_has() -> None:
    shared = {"name": "shared", "volume": "web-data.qcow2"}
    host = RehearsedHost(running=False)
    host.apply(files(ROOT, DATA, runStrategy="Halted"))
    new = {"db.yaml": vm("db", {"disks": [shared], "runStrategy": "Halted"})}
    wish = files(ROOT, runStrategy="Halted", more=new)
    plan = host.apply(wish)
    assert {item.ref.name for item in waits(plan)} == {"web", "db"}
    assert Ref(VIRTUAL_MACHINE, "db") not in host.objects
    host.approved.add(plan.blocked[0].digest)
    host.apply(wish)
    assert host.disks("db") == ["/default/web-data.qcow2"]


def test_a_pool_of_another_name_over_the_same_folder_has_the_same_volumes(host: RehearsedHost) -> None:
    renamed = {
        "main.yaml": pool("main", path="/default"), "fast.yaml": pool("fast"),
        "web.yaml": vm("web", {"disks": [{**ROOT, "pool": "main"}, {**DATA, "pool": "main"}], "title": "new",
                               "cloudInit": {"pool": "main"}, **strategy(host)}),
    }  # fmt: skip
    plan = host.plan(renamed)
    nothing_lost(host, plan)
    assert [name for name in made(plan) if "seed" not in name] == []
    [refused] = [item for item in plan.blocked if item.ref == Ref("StoragePool", "main")]
    assert refused.reason == "RenameRefused"
    assert "call it default" in refused.message
    host.perform(plan)
    assert host.objects[WEB].config["title"] == "new", "the machine's other changes go on"
    assert Ref("StoragePool", "default") in host.objects


def test_a_template_that_calls_its_disk_otherwise_costs_no_machine_its_disk() -> None:
    def wish(index: int) -> dict[str, str | bytes]:
        template = document("Template", "small", {"memory": 512, "disks": [{"index": index, "size": 1}]})
        machines = {
            f"{each}.yaml": document("VirtualMachine", each, {"template": "small", "runStrategy": "Halted"})
            for each in ("web", "db")
        }
        return {**POOLS, "template.yaml": template, **machines}

    host = RehearsedHost(running=False)
    host.apply(wish(0))
    before = host.disks("web"), host.disks("db")
    plan = host.apply(wish(1))
    assert (plan.steps, plan.blocked) == ((), ())
    assert (host.disks("web"), host.disks("db")) == before


def test_a_step_that_would_lose_a_disk_all_the_same_is_not_done(
    host: RehearsedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.planning.virtualmachine.retention.is_settled", lambda *_: True)
    plan = host.plan(files(ROOT, **strategy(host)))
    [lost] = [item for item in plan.blocked if item.ref == WEB]
    assert lost.reason == "DiskWouldBeLost"
    assert not steps_of(plan, "web")


def test_what_is_told_of_a_machine_is_told_of_the_volumes_that_it_has(host: RehearsedHost) -> None:
    def told(plan: Plan) -> dict[str, tuple[str, str]]:
        assert plan.wish is not None
        found = conditions(Pass(plan.wish, host.snapshot(), plan))
        return {ref.name: (items[0].reason, items[0].message) for ref, items in found.items()}

    renamed = told(host.plan(files({**ROOT, "name": "system"}, DATA, **strategy(host))))
    assert renamed["default/web-root.qcow2"][0] == "Succeeded"
    assert "default/web-system.qcow2" not in renamed
    moved = told(host.plan(files({**ROOT, "pool": "fast"}, DATA, **strategy(host))))
    assert moved["web"][0] == moved["fast/web-root.qcow2"][0] == "NeedsApproval"
    assert "onggi approve" in moved["web"][1]


def test_the_ledger_remembers_no_more_than_it_needs(host: RehearsedHost) -> None:
    assert Fact.KEPT not in host.ledger[WEB].facts
    host.perform(host.plan(files({**ROOT, "name": "system"}, DATA, **strategy(host))))
    assert host.ledger[WEB].facts[Fact.KEPT] == '{"system": "default/web-root.qcow2"}'
    host.apply(files(ROOT, DATA, **strategy(host)))
    assert Fact.KEPT not in host.ledger[WEB].facts


@pytest.mark.parametrize("before", [True, False], ids=["renamed before", "renamed now"])
def test_a_lost_volume_of_a_renamed_entry_does_not_become_an_empty_one(host: RehearsedHost, before: bool) -> None:
    renamed = files({**ROOT, "name": "system"}, DATA, **strategy(host))
    if before:
        host.apply(renamed)
    del host.objects[Ref.volume("default", "web-root.qcow2")]
    for _ in range(2):
        plan = host.apply(renamed)
        assert made(plan) == []
        assert plan.blocked
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-data.qcow2"]


def test_a_machine_that_is_made_again_has_the_disks_that_it_had(host: RehearsedHost) -> None:
    host.last_seen = {WEB: LastSeen(host.objects[WEB].uid, host.objects[WEB].xml)}
    del host.objects[WEB]
    for disks in ([{**ROOT, "name": "system"}, DATA], [ROOT], [{**ROOT, "pool": "fast"}, DATA]):
        plan = host.plan(files(*disks, **strategy(host)))
        assert made(plan) == []
        [definition] = [each.xml for step in plan.steps for each in step.operations if isinstance(each, Define)]
        assert len(disk_paths(definition)) == 2


@pytest.mark.parametrize("running", [True, False], ids=["running", "off"])
def test_a_machine_that_is_renamed_keeps_its_disks_too(running: bool) -> None:
    def wish(name: str, *disks: dict[str, Any], **fields: Any) -> dict[str, str | bytes]:
        spec = {"disks": list(disks), "runStrategy": "Always" if running else "Halted", **fields}
        return {**POOLS, "vm.yaml": vm(name, spec, uid="3f0c8c1e-52f4-4b0a-9c3e-d1d1a2b3c4d5")}

    host = RehearsedHost(running=running)
    host.apply(wish("old", ROOT, DATA))
    for disks in ([{**ROOT, "name": "system"}, DATA], [ROOT], [{**ROOT, "pool": "fast"}, DATA]):
        plan = host.plan(wish("new", *disks, title="x"))
        assert made(plan) == []
        said = [each.xml for step in plan.steps for each in step.operations if isinstance(each, Define)]
        assert said
        assert all(len(disk_paths(xml)) == 2 for xml in said)
        assert not [item for item in plan.blocked if item.reason == "DiskWouldBeLost"]


def test_a_snapshot_of_a_machine_that_was_off_is_still_its_disk() -> None:
    host = RehearsedHost(running=False)
    wish = files(ROOT, DATA, runStrategy="Halted")
    host.apply(wish)
    seen = host.objects[WEB]
    for name, below in (("web-data.one", "web-data.qcow2"), ("web-data.two", "web-data.one")):
        details = {"path": f"/default/{name}", "backing": f"/default/{below}"}
        volume = host.objects[Ref.volume("default", "web-data.qcow2")]
        host.objects[Ref.volume("default", name)] = replace(
            volume, ref=Ref.volume("default", name), details={**volume.details, **details}
        )
    # libvirt writes no <backingStore> for a machine that is off.
    host.objects[WEB] = replace(seen, xml=seen.xml.replace("/default/web-data.qcow2", "/default/web-data.two"))
    ledger = dict(host.ledger)
    for host.ledger in ({}, ledger):
        plan = host.plan(wish)
        assert (plan.steps, plan.blocked, plan.extras) == ((), (), ())

    plan = host.plan(files(ROOT, {**DATA, "size": "64MiB"}, runStrategy="Halted", title="new"))
    [blocked] = plan.blocked
    assert (blocked.ref, blocked.reason) == (Ref.volume("default", "web-data.qcow2"), "InUse")
    assert "blockcommit" in blocked.message
    assert [step.ref for step in plan.steps] == [WEB]
    assert len(disk_paths(next(each.xml for each in plan.steps[0].operations if isinstance(each, Define)))) == 2


@pytest.mark.parametrize("running", [True, False])
def test_an_image_is_not_plugged_in_beside_what_may_be_its_own_snapshot(running: bool) -> None:
    host = RehearsedHost(running=running)
    wish = files(ROOT, DATA, **strategy(host))
    host.apply(wish)
    seen = host.objects[WEB]
    host.objects[WEB] = replace(seen, xml=seen.xml.replace("/default/web-data.qcow2", "/elsewhere/one"))
    for _ in range(2):
        plan = host.apply(files(ROOT, DATA, title="new", **strategy(host)))
        [blocked] = plan.blocked
        assert (blocked.ref, blocked.part) == (WEB, "/disks")
        assert "may be a snapshot above it" in blocked.message
    assert host.disks("web") == ["/default/web-root.qcow2", "/elsewhere/one"]
    assert host.objects[WEB].config["title"] == "new"


def test_a_disk_of_nobody_elses_is_no_reason_against_a_new_one() -> None:
    host = RehearsedHost()
    host.apply(files(ROOT, runStrategy="Always"))
    seen = host.objects[WEB]
    stranger = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/elsewhere/one'/>"
    xml = seen.xml.replace("</devices>", f"{stranger}<target dev='vdx' bus='virtio'/></disk></devices>")
    host.objects[WEB] = replace(seen, xml=xml, live_xml=xml)
    assert not host.plan(files(ROOT, DATA, runStrategy="Always")).blocked
    host.apply(files(ROOT, DATA, runStrategy="Always"))
    assert host.disks("web") == ["/default/web-root.qcow2", "/elsewhere/one", "/default/web-data.qcow2"]


def test_a_yes_is_still_one_after_a_step_that_did_not_succeed(host: RehearsedHost) -> None:
    wish = files(ROOT, **strategy(host))
    host.approved.add(waits(host.plan(wish))[0].digest)
    first = host.plan(wish)  # and nothing comes of it: libvirtd died
    second = host.plan(wish)
    assert (second.steps, second.blocked) == (first.steps, first.blocked)
    assert first.steps and not first.blocked
