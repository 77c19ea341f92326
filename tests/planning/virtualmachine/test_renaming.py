"""What is called otherwise on the host than in its document: a machine and its own disks follow once it is off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Policy, Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Define, RenameSnapshots
from specs.binding import parse
from specs.host import VolumeSource
from specs.reference import NETWORK, STORAGE_POOL, STORAGE_VOLUME, VIRTUAL_MACHINE, Ref
from tests.planning.machines import OTHERS, POOL
from tests.planning.worlds import QEMU, World, applied, check, found, table, wanted

UID = "6f1c9c52-0000-4000-8000-00000000000a"
SHOP, WEB = Ref(VIRTUAL_MACHINE, "shop"), Ref(VIRTUAL_MACHINE, "web")


def machine(name: str, disk: str = "", **more: Any) -> Resource:
    """A document of it under this name; with the disk `disk`, which is its own."""
    disks = {"disks": [{"name": "root", "volume": f"default/{disk}"}]} if disk else {}
    return wanted(name, **{"uid": UID, **disks, **more})


def disk(name: str, of: Ref, size: str = "1GiB") -> Resource:
    return wanted(f"default/{name}", STORAGE_VOLUME, parent=of, pool="default", capacity=size, format="qcow2")


NEW, OLD = machine("shop"), machine("web")
NEW_DISK, OLD_DISK = disk("shop-root", SHOP), disk("web-root", WEB)
NEW_WITH, OLD_WITH = machine("shop", "shop-root"), machine("web", "web-root")
LEDGER = (applied(OLD), applied(OLD_DISK))
LAN = wanted("lan", NETWORK, uid=UID, mode="isolated", subnet="10.1.2.0/24")


def off(document: Resource, **more: Any) -> Observed:
    return found(document, reason="destroyed", **more)


def on(document: Resource, **more: Any) -> Observed:
    return found(document, "running", "booted", **more)


def user_of(disk: str) -> Observed:
    """Another machine with this disk."""
    return off(wanted("other", disks=[{"name": "x", "volume": f"default/{disk}"}]))


@table(
    (
        "it is off",
        World((NEW,), (off(OLD),), LEDGER),
        "~ shop /metadata/name: rename web to shop, rename snapshots, define (renamed: its document kept the…",
    ),
    (
        "it is off, and its document changed in more",
        World((machine("shop", memory=1024),), (off(OLD),), LEDGER),
        "~ shop /metadata/name /memory: rename web to shop, rename snapshots, define (renamed: its document…",
    ),
    (
        "it is off, and its document asks for what this host can't do",
        World((machine("shop", domainType="kvm"),), (off(OLD),), LEDGER),
        "! shop DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
    ),
    (
        "it is off, and drift is only told, which this isn't",
        World((replace(NEW, policy=Policy(drift="warn")),), (off(OLD),), LEDGER),
        "~ shop /metadata/name: rename web to shop, rename snapshots (renamed: its document kept the uid and…",
    ),
    (
        "it is off and isn't ours",
        World((NEW,), (off(OLD, mark=OTHERS),)),
        "! shop OwnedByOther: VirtualMachine/shop on this host belongs to another repository…",
    ),
    (
        "it runs",
        World((NEW,), (on(OLD),), LEDGER),
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "it runs, and what can be changed at once is",
        World((machine("shop", title="x"),), (on(OLD),), LEDGER),
        "~ shop /title: define, title x (its document changed)",
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "it runs, and something else waits for its next boot",
        World((machine("shop", memory=1024),), (on(OLD),), LEDGER),
        "~ shop /memory: define (its document changed)",
        "waits shop /metadata/name /memory for its next boot, for which it has to be off: a reboot inside…",
    ),
    (
        "it runs, and what its document asks for is refused",
        World((machine("shop", domainType="kvm"),), (on(OLD),), LEDGER),
        "! shop DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "it was adopted, and its document doesn't say its UUID",
        World(
            (wanted("shop"),), (replace(off(OLD), uid="its own"),), (replace(applied(wanted("shop")), uid="its own"),)
        ),
        "~ shop /metadata/name: rename web to shop, rename snapshots, define (renamed: its document kept the…",
    ),
    (
        "both names are taken",
        World((NEW,), (off(OLD), off(wanted("shop")))),
        "! shop RenameRefused: VirtualMachine/shop has the uid of VirtualMachine/web, and libvirt can't…",
    ),
    (
        "the former name has a document of its own",
        World((NEW, wanted("web")), (off(OLD),), LEDGER),
        "! shop RenameRefused: VirtualMachine/shop has the uid of VirtualMachine/web, and libvirt can't…",
    ),
    (
        "something that isn't a machine has the UUID",
        World((NEW,), (found(LAN),)),
        "+ shop /memory: define, start (declared, and not on the host)",
    ),
    (
        "its start waits for a network that nobody has",
        World((machine("shop", interfaces=[{"network": "gone"}]),), (off(OLD),), LEDGER),
        "! shop DependencyNotReady: VirtualMachine/shop needs Network/gone, which is neither in the…",
    ),
    (
        "its name has followed, and the mark hasn't",
        World((NEW,), (off(NEW, marked="web"),), LEDGER),
        "~ shop /metadata: rename snapshots, define (changed on the host since it was last applied)",
        "forgotten web",
    ),
    (
        "its name has followed, the mark hasn't, and it runs",
        World((NEW,), (on(NEW, marked="web"),), LEDGER),
        "~ shop /metadata: define (changed on the host since it was last applied)",
        "forgotten web",
    ),
)
def test_a_document_that_changed_its_name(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


@table(
    (
        "its disk follows",
        World((NEW_WITH, NEW_DISK), (POOL, off(OLD_WITH), found(OLD_DISK)), LEDGER),
        "~ default/shop-root /metadata/name: rename default/web-root to default/shop-root (follows the name…",
        "~ shop /metadata/name: rename web to shop, rename snapshots, define (renamed: its document kept the…",
    ),
    (
        "its disk follows, and grows after that",
        World((NEW_WITH, disk("shop-root", SHOP, "2GiB")), (POOL, off(OLD_WITH), found(OLD_DISK)), LEDGER),
        "~ default/shop-root /metadata/name: rename default/web-root to default/shop-root (follows the name…",
        "~ shop /metadata/name: rename web to shop, rename snapshots, define (renamed: its document kept the…",
    ),
    (
        "its disk waits while it runs",
        World((NEW_WITH, NEW_DISK), (POOL, on(OLD_WITH), found(OLD_DISK)), LEDGER),
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "its disk grows while it runs",
        World((NEW_WITH, disk("shop-root", SHOP, "2GiB")), (POOL, on(OLD_WITH), found(OLD_DISK)), LEDGER),
        "~ default/shop-root /capacity: grow to 2147483648 in web (its document changed)",
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "its name has followed, and its disk's hasn't",
        World((NEW_WITH, NEW_DISK), (POOL, off(replace(OLD_WITH, ref=SHOP), marked="web"), found(OLD_DISK)), LEDGER),
        "~ default/shop-root /metadata/name: rename default/web-root to default/shop-root (follows the name…",
        "~ shop /metadata: rename snapshots, define (its document changed)",
        "forgotten web",
    ),
    (
        "its name and its disk's have followed, and its definition hasn't",
        World((NEW_WITH, NEW_DISK), (POOL, off(replace(OLD_WITH, ref=SHOP), marked="web"), found(NEW_DISK)), LEDGER),
        "~ shop /metadata: rename snapshots, define (its document changed)",
        "forgotten default/web-root",
        "forgotten web",
    ),
    (
        "its name and its disk's have followed, the mark hasn't, and it runs",
        World((NEW_WITH, NEW_DISK), (POOL, on(NEW_WITH, marked="web"), found(NEW_DISK)), LEDGER),
        "~ shop /metadata: define (its document changed)",
        "forgotten default/web-root",
        "forgotten web",
    ),
    (
        "another disk has that name already",
        World((NEW_WITH, NEW_DISK), (POOL, off(OLD_WITH), found(OLD_DISK), found(NEW_DISK)), LEDGER),
        "! default/shop-root OwnedByOther: StorageVolume/default/shop-root already exists on this host and…",
        "! shop RenameRefused: VirtualMachine/web can't be renamed to shop: its disk…",
    ),
    (
        "another disk has that name already, and it runs",
        World((NEW_WITH, NEW_DISK), (POOL, on(OLD_WITH), found(OLD_DISK), found(NEW_DISK)), LEDGER),
        "! default/shop-root OwnedByOther: StorageVolume/default/shop-root already exists on this host and…",
        "waits shop /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "another machine has its disk, too",
        World((NEW_WITH, NEW_DISK), (POOL, off(OLD_WITH), found(OLD_DISK), user_of("web-root")), LEDGER),
        "! default/shop-root InUse: StorageVolume/default/web-root can't be renamed to shop-root:…",
        "! shop DependencyNotReady: VirtualMachine/shop needs StorageVolume/default/shop-root, which is held…",
    ),
    (
        "it is refused, and so its disk stays as it is called",
        World(
            (machine("shop", "shop-root", domainType="kvm"), NEW_DISK), (POOL, off(OLD_WITH), found(OLD_DISK)), LEDGER
        ),
        "! shop DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
    ),
    (
        "its disk's former name has a document of its own",
        World((NEW_WITH, NEW_DISK, replace(OLD_DISK, parent=None)), (POOL, off(OLD_WITH), found(OLD_DISK)), LEDGER),
        "~ shop /metadata/name: rename web to shop, rename snapshots, define (renamed: its document kept the…",
        "! default/shop-root NeedsApproval: it would be new and empty, while VirtualMachine/shop is to lose…",
        "! shop /disks NeedsApproval: its document no longer names the disk default/web-root, which stays…",
    ),
)
def test_disks_that_are_called_after_it(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


LOGICAL = replace(QEMU, volumes={Ref.volume("vg", "web-root"): VolumeSource("/dev/vg/web-root", "block", "raw")})


def on_lvm(name: str, disk: str) -> Resource:
    return wanted(name, uid=UID, disks=[{"name": "root", "volume": f"vg/{disk}"}])


def lvm(name: str, of: Ref) -> Resource:
    return wanted(f"vg/{name}", STORAGE_VOLUME, parent=of, pool="vg", capacity="1GiB", format="raw")


def test_a_disk_whose_path_is_only_known_afterwards_is_named_by_its_pool() -> None:
    """That it isn't renamed, for it is no file, is told when it is tried; the machine's step comes after that."""
    group = found(wanted("vg", STORAGE_POOL, type="logical", source={"devices": ["/dev/sdb"]}))
    there = (
        group,
        off(on_lvm("web", "web-root"), host=LOGICAL),
        found(lvm("web-root", WEB), details={"path": "/dev/vg/web-root"}),
    )
    ledger = (applied(on_lvm("web", "web-root")), applied(lvm("web-root", WEB)))
    plan = World((on_lvm("shop", "shop-root"), lvm("shop-root", SHOP)), there, ledger, host=LOGICAL).plan()
    check(
        plan,
        "~ vg/shop-root /metadata/name: rename vg/web-root to vg/shop-root (follows the name…",
        "~ shop /metadata/name…",
    )
    assert Ref.volume("vg", "shop-root") in plan.steps[1].after


BY_HAND = off(replace(OLD, ref=Ref(VIRTUAL_MACHINE, "found")), marked="web")


@table(
    (
        "it is renamed back",
        World((OLD,), (BY_HAND,), (applied(OLD),)),
        "~ web /metadata/name: rename found to web, rename snapshots (renamed on the host; its document has…",
    ),
    (
        "it is renamed back once it is off",
        World((OLD,), (on(replace(OLD, ref=Ref(VIRTUAL_MACHINE, "found")), marked="web"),), (applied(OLD),)),
        "waits web /metadata/name for the machine to be off, for a running one can't be renamed",
    ),
    (
        "it is renamed back with the next document",
        World((machine("web", title="new"),), (BY_HAND,), (applied(OLD),)),
        "~ web /metadata/name /title: rename found to web, rename snapshots, define (renamed on the host;…",
    ),
    (
        "drift that is only told",
        World((replace(OLD, policy=Policy(drift="warn")),), (BY_HAND,), (applied(OLD),)),
        "drifted web /metadata/name",
    ),
    ("drift that is ignored", World((replace(OLD, policy=Policy(drift="ignore")),), (BY_HAND,), (applied(OLD),))),
)
def test_a_machine_that_somebody_renamed_on_the_host(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


OTHER_NAME = replace(LAN, ref=Ref(NETWORK, "intern"))


@table(
    ("it has the UUID that its document says", World((LAN,), (found(LAN),), (applied(LAN),))),
    (
        "another one has it",
        World((OTHER_NAME,), (found(LAN),)),
        "! intern RenameRefused: Network/intern has the uid of Network/lan, and libvirt can't rename a…",
    ),
    (
        "something of another kind has it",
        World((LAN,), (off(OLD),)),
        "+ lan /mode /subnet: define, start (declared, and not on the host)",
    ),
)
def test_a_network_can_not_be_renamed(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


def test_the_definition_names_the_machine_and_its_disk_as_they_are_called_afterwards() -> None:
    plan = World((NEW_WITH, NEW_DISK), (POOL, off(OLD_WITH), found(OLD_DISK)), LEDGER).plan()
    operations = next(step for step in plan.steps if step.ref == SHOP).operations
    [defined] = [each for each in operations if isinstance(each, Define)]
    root = parse(defined.xml)
    assert root.findtext("name") == "shop"
    assert [source.attrib for source in root.findall("devices/disk/source")] == [{"file": "/default/shop-root"}]
    [snapshots] = [each for each in operations if isinstance(each, RenameSnapshots)]
    assert snapshots == RenameSnapshots(SHOP, UID, (("/default/web-root", "/default/shop-root"),))


def test_while_it_waits_nothing_of_its_definition_moves() -> None:
    plan = World((NEW_WITH, NEW_DISK), (POOL, on(OLD_WITH), found(OLD_DISK)), LEDGER).plan()
    assert plan.steps == ()
    assert [change.note for item in plan.waiting for change in item.changes] == [
        "a running machine can't be renamed, nor its disks; that follows once it is off",
    ]


@pytest.mark.parametrize("document", [NEW, machine("shop", title="x")], ids=["nothing else", "more"])
def test_the_ledger_has_it_under_its_new_name_from_then_on(document: Resource) -> None:
    [step] = World((document,), (off(OLD),), LEDGER[:1]).plan().steps
    assert step.owned is not None
    assert (step.owned.ref, step.owned.uid) == (SHOP, UID)
    waiting = World((machine("shop", title="x"),), (on(OLD),), LEDGER[:1]).plan()
    assert [one.owned.ref for one in waiting.steps if one.owned is not None] == [WEB]
