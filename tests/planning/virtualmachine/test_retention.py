"""What stays with a machine while its wish is completed, where that takes more than one entry or one name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.ownership import Fact
from reconciler.planning.virtualmachine.retention import Retention
from specs.reference import STORAGE_POOL, STORAGE_VOLUME
from tests.desired.documents import vm
from tests.planning.machines import DATA, OTHERS, PLAIN, POOL, WITH_DATA, off
from tests.planning.rehearsed_host import RehearsedHost, pool
from tests.planning.worlds import QEMU, WEB, World, applied, check, found, table, wanted, yes

ROOT: dict[str, Any] = {"name": "root", "size": "16MiB"}
SYSTEM: dict[str, Any] = {**ROOT, "name": "system"}


def files(*disks: dict[str, Any], **fields: Any) -> dict[str, str | bytes]:
    machine = vm("web", {"disks": list(disks), "runStrategy": "Halted", **fields})
    return {"default.yaml": pool("default"), "web.yaml": machine}


def test_an_entry_of_a_disks_own_name_is_that_disk_whatever_another_entry_was_before() -> None:
    """Else both entries would be one disk, and the machine would write to it in two places."""
    host = RehearsedHost(running=False)
    host.apply(files(ROOT))
    host.apply(files(SYSTEM))
    assert host.disks("web") == ["/default/web-root.qcow2"]
    both = files(SYSTEM, ROOT)
    host.apply(both)
    assert host.disks("web") == ["/default/web-root.qcow2", "/default/web-system.qcow2"]
    assert host.plan(both).empty
    assert not host.plan(both).blocked


def test_the_same_when_the_machine_is_made_again() -> None:
    host = RehearsedHost(running=False)
    host.apply(files(ROOT))
    host.apply(files(SYSTEM))
    del host.objects[WEB]
    host.apply(files(SYSTEM, ROOT))
    assert sorted(host.disks("web")) == ["/default/web-root.qcow2", "/default/web-system.qcow2"]


COPY = wanted("default/copy", STORAGE_VOLUME, pool="default", capacity="1GiB", format="qcow2")
WITH_COPY = wanted(disks=[{"name": "data", "volume": "default/copy"}])
READ_ONLY = wanted(disks=[{"name": "data", "volume": "default/data", "readOnly": True}])
DEFAULT = wanted("default", STORAGE_POOL, type="dir", path="/default")


@table(
    (
        "nobody names its disk any more",
        World((PLAIN,), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),)),
        "! web /disks NeedsApproval: its document no longer names the disk default/data, which stays with…",
    ),
    (
        "another disk that is there comes beside it",
        World((WITH_COPY,), (POOL, found(DATA), found(COPY), off(WITH_DATA)), (applied(WITH_DATA),)),
        "~ web /disks/default/copy: define looking into default/copy (its document changed)",
        "! web /disks NeedsApproval: its document no longer names the disk default/data, which stays with…",
    ),
    (
        "a copy of its name in another pool waits",
        World(
            (wanted(disks=[{"name": "data", "volume": "fast/data"}]),),
            (
                POOL,
                found(wanted("fast", STORAGE_POOL, type="dir", path="/fast")),
                found(DATA),
                found(wanted("fast/data", STORAGE_VOLUME, pool="fast", capacity="1GiB", format="qcow2")),
                off(WITH_DATA),
            ),
            (applied(WITH_DATA),),
        ),
        "! web /disks NeedsApproval: its document no longer names the disk default/data, which stays with…",
    ),
    (
        "its disks are left to others",
        World(
            (wanted(policy={"ignore_fields": ("/disks",)}),), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),)
        ),
        "~ web /metadata: define (its document changed)",
    ),
    (
        "it is left alone",
        World((PLAIN,), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),), suspended=frozenset({WEB})),
    ),
    (
        "it is another repository's",
        World((PLAIN,), (POOL, found(DATA), off(WITH_DATA, mark=OTHERS))),
        "! web OwnedByOther: VirtualMachine/web on this host belongs to another repository…",
    ),
    (
        "nothing is left of its disk",
        World((PLAIN,), (POOL, off(WITH_DATA)), (applied(WITH_DATA),)),
        "~ web /disks/default/data: define (its document changed)",
    ),
    (
        "its disk is only read",
        World((PLAIN,), (POOL, found(DATA), off(READ_ONLY)), (applied(READ_ONLY),)),
        "~ web /disks/default/data: define (its document changed)",
    ),
    (
        "its disk's pool is off",
        World((PLAIN,), (found(DEFAULT, "inactive"), off(WITH_DATA)), (applied(WITH_DATA),)),
        "! web /disks NeedsApproval: its document no longer names the disk default/data, which stays with…",
    ),
)
def test_a_disk_that_its_document_does_not_name(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


GIVEN = World(
    (PLAIN, wanted("db", disks=[{"name": "data", "volume": "default/data"}])),
    (POOL, found(DATA), off(WITH_DATA), off(wanted("db"))),
    (applied(WITH_DATA), applied(wanted("db"))),
)


def test_a_disk_goes_to_another_machine_once_somebody_lets_it_go_and_in_that_order() -> None:
    plan = GIVEN.plan()
    assert {item.part for item in plan.blocked} == {"/disks"}
    assert not plan.steps
    [given] = [step for step in GIVEN.approved(*yes(plan)).plan().steps if step.ref.name == "db"]
    assert given.after == {WEB}


def test_who_can_not_take_the_disk_waits_with_it() -> None:
    refused = wanted("db", disks=[{"name": "data", "volume": "default/data"}], domainType="kvm")
    world = replace(GIVEN, desired=(PLAIN, refused))
    check(
        world.approved(*yes(world.plan())).plan(),
        "~ web /disks/default/data: define (its document changed)",
        "! db DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there, or leave…",
    )


def test_a_renamed_entry_is_remembered_by_what_is_done_without_what_is_missing() -> None:
    host = RehearsedHost(running=False)
    host.apply(files(ROOT))
    wish = files(SYSTEM, title="new", interfaces=[{"network": "nobodys"}])
    plan = host.apply(wish)
    assert [(item.ref, item.reason) for item in plan.blocked] == [(WEB, "DependencyNotReady")]
    assert plan.steps[0].changes[0].pointer == "/title"
    assert host.ledger[WEB].facts[Fact.KEPT] == '{"system": "default/web-root.qcow2"}'


def test_a_new_machine_that_gets_another_ones_disk_waits_as_a_whole() -> None:
    plan = replace(GIVEN, there=GIVEN.there[:3]).plan()
    assert [(item.ref.name, item.part) for item in plan.blocked] == [("db", ""), ("web", "/disks")]


def test_a_defect_in_one_machines_disks_holds_up_that_machine_alone() -> None:
    broken = off(WITH_DATA)
    odd = replace(broken, xml=None, mark=broken.mark)  # type: ignore[arg-type]
    plan = World((PLAIN, wanted("db")), (POOL, found(DATA), odd), (applied(WITH_DATA),)).plan()
    assert [(item.ref.name, item.reason) for item in plan.blocked] == [("web", "InternalError")]
    assert [step.ref.name for step in plan.steps] == ["db"]


def test_a_defect_in_what_a_machine_had_holds_up_that_machine_alone() -> None:
    gone = {WEB: LastSeen(PLAIN.uid, None)}  # type: ignore[arg-type]
    plan = World((PLAIN, wanted("db")), (), (applied(PLAIN),), gone=gone).plan()
    assert [(item.ref.name, item.reason) for item in plan.blocked] == [("web", "InternalError")]
    assert [step.ref.name for step in plan.steps] == ["db"]


def test_what_needs_nothing_is_looked_at_once() -> None:
    keeper, context = (
        Retention(),
        World((WITH_DATA,), (POOL, found(DATA), off(WITH_DATA)), (applied(WITH_DATA),)).context,
    )
    assert keeper.keep(context).desired is context.desired
    known = dict(keeper._quiet)
    assert list(known) == [WEB]
    assert keeper.keep(context).desired is context.desired
    assert keeper._quiet == known


FOLDER = replace(QEMU, pool_paths={"old": "/data/"})
NEW_POOL = wanted("new", STORAGE_POOL, type="dir", path="/data")
OLD_POOL = found(wanted("old", STORAGE_POOL, type="dir", path="/data"))


def of(pool: str, name: str, **more: Any) -> Resource:
    return wanted(f"{pool}/{name}", STORAGE_VOLUME, pool=pool, capacity="1GiB", format="qcow2", **more)


@table(
    (
        "the pool alone",
        World((NEW_POOL,), (OLD_POOL,), host=FOLDER),
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
    (
        "what lies in it is what was there",
        World(
            (NEW_POOL, of("new", "a"), wanted(disks=[{"name": "a", "volume": "new/a"}], runStrategy="Manual")),
            (OLD_POOL, found(of("old", "a"))),
            (applied(of("old", "a")),),
            host=FOLDER,
        ),
        "+ web /memory /disks /runStrategy: define (declared, and not on the host)",
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
    (
        "an image above another one in it",
        World((NEW_POOL, of("new", "base"), of("new", "top", backingVolume="new/base")), (OLD_POOL,), host=FOLDER),
        "+ old/base /pool /capacity /format: create volume (declared, and not on the host)",
        "+ old/top /pool /capacity /format /backingVolume: create volume (declared, and not on the host)",
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
    (
        "a medium, and a seed",
        World(
            (
                NEW_POOL,
                wanted(
                    cdroms=[{"volume": "new/iso"}, {"name": "empty"}],
                    cloudInit={"user": "me", "pool": "new"},
                    runStrategy="Manual",
                ),
            ),
            (OLD_POOL, found(of("old", "iso"))),
            host=FOLDER,
        ),
        "+ web /memory /cdroms /cloudInit /runStrategy: define looking into old/iso (declared, and not on…",
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
    (
        "a machine that has nothing in it",
        World((NEW_POOL, wanted(runStrategy="Manual")), (OLD_POOL,), host=FOLDER),
        "+ web /memory /runStrategy: define (declared, and not on the host)",
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
    (
        "a document of the same volume under both names",
        World(
            (NEW_POOL, of("new", "a"), of("old", "a")),
            (OLD_POOL, found(of("old", "a"))),
            (applied(of("old", "a")),),
            host=FOLDER,
        ),
        "! new RenameRefused: StoragePool/new has the folder of StoragePool/old, which is on the host.…",
    ),
)
def test_a_pool_that_is_declared_anew_over_the_same_folder(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)
