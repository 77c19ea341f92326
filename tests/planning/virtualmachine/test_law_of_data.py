"""The law over edits that nobody thought of: no step takes what a guest wrote from its machine without a yes."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from reconciler.observed.snapshot import Snapshot
from reconciler.planning.operations import CreateVolume, Define
from reconciler.planning.plan import Plan
from specs.binding import parse
from specs.reference import STORAGE_POOL, VIRTUAL_MACHINE, Ref
from tests.desired.documents import document
from tests.planning.rehearsed_host import RehearsedHost, pulled

Documents = dict[tuple[str, str], dict[str, Any]]  # kind and name → spec

NAMES = ["root", "data", "logs"]
POOLS = ["a", "b"]
FORMATS = ["qcow2", "raw"]
NETWORKS = ["lan", "wan"]
PHASES = (Phase.explicit, Phase.generate)  # the documents are small as they are
STRATEGY = {True: "Always", False: "Halted"}

disk = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "size": st.sampled_from(["8MiB", "16MiB"]), "pool": st.sampled_from(POOLS)},
    optional={
        "format": st.sampled_from(FORMATS),
        "bus": st.sampled_from(["virtio", "scsi", "sata"]),
        "bootOrder": st.integers(1, 2),
        "target": st.sampled_from(["vda", "vdb"]),
        "readOnly": st.booleans(),
    },
)
disk_lists = st.lists(disk, max_size=3, unique_by=lambda each: each["name"]).map(
    lambda disks: [_placed(disks[:index], each) for index, each in enumerate(disks)]
)
interfaces = st.lists(
    st.fixed_dictionaries({"network": st.sampled_from(NETWORKS), "name": st.sampled_from(["x", "y"])}),
    max_size=2,
    unique_by=lambda each: each["name"],
)


def _placed(before: list[dict[str, Any]], each: dict[str, Any]) -> dict[str, Any]:
    """A disk without the places that one before it has, on a bus that can do the rest: as a document may say."""
    taken = {(key, one[key]) for one in before for key in ("target", "bootOrder") if key in one}
    rest = {key: value for key, value in each.items() if (key, value) not in taken}
    return {**rest, "bus": "virtio"} if rest.keys() & {"target", "readOnly"} else rest


@st.composite
def beginnings(draw: st.DrawFn) -> Documents:
    """Pools, volumes of documents, and two machines."""
    found: Documents = {("StoragePool", name): {"type": "dir", "path": f"/{name}"} for name in POOLS}
    for name in NETWORKS:
        found["Network", name] = {"mode": "isolated", "dhcp": {"enabled": False}}
    volume = {"pool": "a", "capacity": "8MiB", "format": "qcow2"}
    found["StorageVolume", "own.qcow2"] = volume
    for name in ("web", "db"):
        disks = draw(disk_lists)
        if name == "web" and draw(st.booleans()):
            disks = [*disks, {"name": "own", "volume": "a/own.qcow2"}]
        spec = {"disks": disks, "interfaces": draw(interfaces), "runStrategy": STRATEGY[draw(st.booleans())]}
        found["VirtualMachine", name] = spec
    return found


@st.composite
def edited(draw: st.DrawFn, documents: Documents) -> Documents:
    """What a person, or a search and replace, makes of them."""
    found = copy.deepcopy(documents)
    machine = found["VirtualMachine", draw(st.sampled_from(["web", "db"]))]
    disks = machine.get("disks") or []
    match draw(st.sampled_from(["list", "key", "gone", "swap", "pool", "volume", "give", "none", "other"])):
        case "list":
            machine["disks"] = draw(disk_lists)
        case "key" if disks:
            one = draw(st.sampled_from(disks))
            other = {key: value for key, value in draw(disk).items() if key in one or key == "readOnly"}
            if "size" in one and all(each is one or each["name"] != other["name"] for each in disks):
                one |= (
                    {draw(st.sampled_from(sorted(other))): None} and other
                    if draw(st.booleans())
                    else {"name": other["name"]}
                )
                machine["disks"] = [_placed(disks[:index], each) for index, each in enumerate(disks)]
        case "gone" if disks:
            disks.remove(draw(st.sampled_from(disks)))
        case "swap":
            disks.reverse()
        case "pool":
            old, new = draw(st.permutations(POOLS))
            again = draw(st.sampled_from([new, f"{old}2"]))
            for each in disks:
                if each.get("pool") == old:
                    each["pool"] = again
            if again not in POOLS and ("StoragePool", old) in found:
                found["StoragePool", again] = found["StoragePool", old]
                if draw(st.booleans()):
                    del found["StoragePool", old]
            machine["disks"] = disks
        case "volume":
            found["StorageVolume", "fresh.qcow2"] = {"pool": draw(st.sampled_from(POOLS)), "capacity": "8MiB"}
            for each in disks:
                if "volume" in each:
                    each["volume"] = f"{found['StorageVolume', 'fresh.qcow2']['pool']}/fresh.qcow2"
            found.pop(("StorageVolume", "own.qcow2"), None)
        case "give":
            mine = [each for each in found["VirtualMachine", "web"].get("disks") or [] if "volume" in each]
            for each in mine:
                found["VirtualMachine", "web"]["disks"].remove(each)
                found["VirtualMachine", "db"].setdefault("disks", []).append(each)
        case "none":
            machine.pop("disks", None)
        case _:
            machine["title"] = draw(st.sampled_from(["x", "y"]))
    machine["interfaces"] = draw(interfaces)
    return found


def files(documents: Documents) -> dict[str, str | bytes]:
    return {f"{kind}-{name}.yaml": document(kind, name, spec) for (kind, name), spec in documents.items()}


def places(xml: str) -> dict[str, str]:
    """Which data is at which device name."""
    return {
        target.get("dev", ""): source.get("file", "")
        for each in parse(xml).findall("devices/disk")
        if each.get("device") == "disk" and each.find("readonly") is None
        for target in each.findall("target")
        for source in each.findall("source")
    }


def overtaken(plan: Plan, before: Snapshot) -> set[str]:
    """The data whose device name a volume gets that this very plan makes."""
    new = {f"/{each.ref.name}" for step in plan.steps for each in step.operations if isinstance(each, CreateVolume)}
    return {
        path
        for step in plan.steps
        for each in step.operations
        if isinstance(each, Define) and each.ref.kind == VIRTUAL_MACHINE and step.ref in before.objects
        for device, path in places(before.objects[step.ref].xml).items()
        if places(each.xml).get(device) in new
    }


@seed(9)
@given(data=st.data(), documents=beginnings())
@settings(max_examples=150, deadline=None, database=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
def test_no_edit_takes_data_from_a_machine_unless_a_person_said_so(data: st.DataObject, documents: Documents) -> None:
    host = RehearsedHost()
    host.apply(files(documents))
    for _ in range(3):
        documents = data.draw(edited(documents))
        wish = host.desired.of(files(documents))
        if wish.problems:
            continue  # refused as a document: nothing is done
        machines = [ref for ref in wish.resources if ref.kind == VIRTUAL_MACHINE]
        plan = host.plan(files(documents))
        assert pulled(plan, host.snapshot(), machines) == set()
        declared = {
            each["target"]
            for (kind, _), spec in documents.items()
            if kind == VIRTUAL_MACHINE
            for each in spec.get("disks") or ()
            if "target" in each
        }
        assert declared or overtaken(plan, host.snapshot()) == set()
        assert not [item for item in plan.blocked if item.reason == "DiskWouldBeLost"], "the last look finds nothing"
        if data.draw(st.booleans()):
            host.perform(plan)
            again = host.plan(files(documents))
            left = [
                (str(step.ref), step.changes) for step in again.steps if step.ref.kind not in (STORAGE_POOL, "Network")
            ]
            assert left == [], "it is at rest"


@seed(10)
@given(data=st.data(), documents=beginnings())
@settings(max_examples=50, deadline=None, database=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_person_said_yes_to_comes_true(data: st.DataObject, documents: Documents) -> None:
    host = RehearsedHost(running=False)
    host.apply(files(documents))
    documents = data.draw(edited(documents))
    if host.desired.of(files(documents)).problems:
        return
    for _ in range(4):
        host.approved |= {item.digest for item in host.plan(files(documents)).blocked if item.digest}
        host.apply(files(documents))
    left = [item for item in host.plan(files(documents)).blocked if item.reason == "NeedsApproval"]
    assert left == []
    assert Ref(VIRTUAL_MACHINE, "web") in host.objects
