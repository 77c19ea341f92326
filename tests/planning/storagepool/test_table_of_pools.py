"""What is decided about a storage pool: (document, definition and running pool, what is remembered) -> the steps."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.state import Policy
from reconciler.observed.snapshot import Observed
from reconciler.planning.last_seen import LastSeen
from reconciler.planning.operations import Define, DefineSecret, SecretSource
from reconciler.planning.plan import Action, Plan
from reconciler.planning.storagepool.folders import pool_folder
from specs.binding import parse
from specs.host import Host, VolumeSource
from specs.reach import Reach, pool_owner
from specs.reference import STORAGE_POOL, Ref
from tests.planning.one_object import APPLIED, Case, owned, plan_of
from tests.planning.plan_in_words import in_words
from tests.planning.values import resource, vm

POOL, WEB = Ref(STORAGE_POOL, "disks"), vm("web")
UID = str(uuid.uuid5(uuid.NAMESPACE_DNS, "disks"))
DIR = {"type": "dir", "path": "/srv/disks"}
NFS = {"type": "netfs", "path": "/mnt/disks", "source": {"host": "nas", "path": "/export"}}
LOGICAL = {"type": "logical", "path": "/dev/vg", "source": {"devices": ["/dev/sda", "/dev/sdb"]}}
SECRET = "/etc/onggi/secrets/chap"
AUTH = {"username": "us", "passwordFrom": {"file": SECRET}}
ISCSI = {"type": "iscsi", "source": {"host": "san", "target": "iqn.2026-01.example:a", "auth": AUTH}}
OF_ANOTHER_PLACE = Host(reach=Reach(pool_folders=("/srv",), secret_folders=("/etc/onggi/secrets",)))
NOWHERE = Host(reach=Reach())


def xml(kind: str = "dir", path: str = "/srv/disks", source: str = "") -> str:
    return (
        f"<pool type='{kind}'><name>disks</name><uuid>{UID}</uuid><source>{source}</source>"
        f"<target><path>{path}</path></target></pool>"
    )


def nfs(host: str = "nas") -> str:
    return xml("netfs", "/mnt/disks", f"<host name='{host}'/><dir path='/export'/><format type='nfs'/>")


def group(*devices: str) -> str:
    return xml("logical", "/dev/vg", "".join(f"<device path='/dev/{each}'/>" for each in devices) + "<name>vg</name>")


def iscsi(secret: str = "onggi-disks") -> str:
    auth = f"<auth type='chap' username='us'><secret usage='{secret}'/></auth>"
    source = f"<host name='san'/><device path='iqn.2026-01.example:a'/>{auth}"
    return xml("iscsi", "/dev/disk/by-path", source)


def off(text: str = "", **more: Any) -> Observed:
    return Observed(POOL, UID, text or xml(), **{"state": "inactive", **more})


def on(text: str = "", live: str = "", **more: Any) -> Observed:
    return Observed(POOL, UID, text or xml(), live or text or xml(), "active", **more)


DISK = Observed(Ref.volume("disks", "web.qcow2"), "", "<volume/>", details={"path": "/srv/disks/web.qcow2"})


def guest(*, running: bool = True) -> Observed:
    text = (
        "<domain><name>web</name><devices><disk type='file' device='disk'><source file='/srv/disks/web.qcow2'/>"
        "<target dev='vda'/></disk></devices></domain>"
    )
    return Observed(WEB, "w", text, text if running else None, "running" if running else "shutoff")


WITH_DISK = Host(volumes={DISK.ref: VolumeSource("/srv/disks/web.qcow2")})
OURS = owned(POOL, UID)
AS_APPLIED = owned(POOL, UID, digest=APPLIED)
ADOPTED = replace(OURS, created=False)
WARN = Policy(drift="warn")
CASES = [
    # Made: the folder of files along with it, and nothing else unless its document says so.
    Case("one that is nowhere is defined and started, with its folder", DIR, None, ["+ disks: define, start+build"]),
    Case("not with its folder when its document says so", {**DIR, "build": False}, None, ["+ disks: define, start"]),
    Case("what would be formatted is only started", LOGICAL, None, ["+ disks: define, start"]),
    Case("unless its document says so", {**LOGICAL, "build": True}, None, ["+ disks: define, start+build"]),
    Case("the password of a target is put into libvirt first", ISCSI, None,
         [f"+ disks: secret from {SECRET}, define, start"]),
    Case("a target without one needs none", {**ISCSI, "source": {"host": "san", "target": "iqn.2026-01.example:a"}},
         None, ["+ disks: define, start"]),
    Case("one that is to be off isn't made on the disk either", {**DIR, "active": False}, None, ["+ disks: define"]),
    Case("what vanished is made again as it was", DIR, None, ["+ disks: define, start+build, autostart"],
         entry=AS_APPLIED, last_seen=LastSeen(UID, xml(), autostart=True)),
    Case("it is made of its document alone where it was of another type", DIR, None, ["+ disks: define, start+build"],
         entry=AS_APPLIED, last_seen=LastSeen(UID, xml("fs"), autostart=True)),
    # Whose.
    Case("a stranger's of the same name is left alone", DIR, Observed(POOL, "another", xml()),
         ["! disks OwnedByOther"]),
    Case("one that is taken over is started only when its document says so", DIR, off(), [], policy=Policy(adopt=True)),
    Case("as that does here", {**DIR, "active": True}, off(), ["~ disks: start+build"], policy=Policy(adopt=True)),
    # Changed.
    Case("one that is as declared is left alone", DIR, on(), [], entry=OURS),
    Case("it is started when it is off, and its folder made when that is gone", DIR, off(), ["~ disks: start+build"],
         entry=OURS),
    Case("another server means a restart", NFS, on(nfs("old")), ["∓ disks: define, stop, define, start+build"],
         entry=OURS),
    Case("one that is off is only defined", {**NFS, "active": False}, off(nfs("old")), ["~ disks: define"], entry=OURS),
    Case("another type is another pool", {**NFS, "active": False}, off(), ["! disks ChangeRefused"], entry=OURS),
    Case("it is stopped", {**DIR, "active": False}, on(), ["~ disks: stop"], entry=OURS),
    Case("a further device goes into the running group", LOGICAL, on(group("sda")),
         ["~ disks: extend vg by /dev/sda /dev/sdb, define"], entry=OURS),
    Case("none is taken out", LOGICAL, on(group("sda", "sdb", "sdc")), ["! disks ChangeRefused"], entry=OURS),
    Case("what the group was started with is no difference", LOGICAL, on(group("sda", "sdb"), group("sda")), [],
         entry=OURS),
    Case("another secret is defined before the pool that names it", ISCSI, on(iscsi("old")),
         [f"∓ disks: secret from {SECRET}, define, stop, secret from {SECRET}, define, start"], entry=OURS),
    # Guests. What is pulled out from below a running one can't be given back.
    Case("it isn't stopped below a running guest", {**DIR, "active": False}, on(), ["! disks InUse"], entry=OURS,
         guests=[guest(), DISK], host=WITH_DISK),
    Case("whatever else is asked of it", {**DIR, "active": False, "autostart": True}, on(), ["! disks InUse"],
         entry=OURS, guests=[guest(), DISK], host=WITH_DISK),
    Case("a guest that is off is none", {**DIR, "active": False}, on(), ["~ disks: stop"], entry=OURS,
         guests=[guest(running=False), DISK], host=WITH_DISK),
    Case("a restart waits for the guest's end, and no word makes it sooner", {**DIR, "path": "/srv/disks"},
         on(xml(), xml(path="/srv/old")), ["… disks /path"], entry=OURS, guests=[guest(), DISK], host=WITH_DISK),
    # Drift.
    Case("what was changed by hand is put back", {**DIR, "active": False}, off(xml(path="/srv/old")),
         ["~ disks: define"], entry=AS_APPLIED),
    Case("or only told", {**DIR, "active": False}, off(xml(path="/srv/old")), ["≠ disks /path"], entry=AS_APPLIED,
         policy=WARN),
    Case("one that was undefined is made persistent again", DIR, on(persistent=False), ["~ disks: define"], entry=OURS),
    # Where a document may make it, and which secret it may name.
    Case("a folder that may be had", DIR, None, ["+ disks: define, start+build"], host=OF_ANOTHER_PLACE),
    Case("one that may not be had isn't made", {**DIR, "path": "/etc"}, None, ["! disks NotAllowed"],
         host=OF_ANOTHER_PLACE),
    Case("nor is the pool moved there", {**DIR, "path": "/etc"}, on(), ["! disks NotAllowed"], entry=OURS,
         host=OF_ANOTHER_PLACE),
    Case("all else of the document goes on", {**DIR, "path": "/etc", "autostart": True}, on(),
         ["~ disks: autostart", "! disks NotAllowed"], entry=OURS, host=OF_ANOTHER_PLACE),
    Case("unless that is refused, too", {**NFS, "path": "/etc"}, on(), ["! disks ChangeRefused"], entry=OURS,
         host=OF_ANOTHER_PLACE),
    Case("one that is there already stays", {**DIR, "path": "/etc"}, on(xml(path="/etc")), [], entry=OURS,
         host=OF_ANOTHER_PLACE),
    Case("a share without a folder is made on the one that is its by default",
         {"type": "netfs", "source": NFS["source"]}, None, ["! disks NotAllowed"], host=OF_ANOTHER_PLACE),
    Case("which isn't asked for where the share is already", {"type": "netfs", "source": NFS["source"]},
         on(nfs()), [],
         entry=OURS, host=OF_ANOTHER_PLACE),
    Case("what isn't made of files lies in no folder", LOGICAL, None, ["+ disks: define, start"],
         host=OF_ANOTHER_PLACE),
    Case("a secret that may be had", ISCSI, None, [f"+ disks: secret from {SECRET}, define, start"],
         host=OF_ANOTHER_PLACE),
    Case("one that may not be had keeps the pool from being made", ISCSI, None, ["! disks NotAllowed"], host=NOWHERE),
    Case("one that is there keeps the login that it has", ISCSI, on(iscsi("old")), ["! disks NotAllowed"], entry=OURS,
         host=NOWHERE),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_what_is_done_about_a_pool(case: Case) -> None:
    assert in_words(plan_of(case, POOL, UID)) == list(case.plan)


def planned(spec: dict[str, Any], there: Observed | None = None, **more: Any) -> Plan:
    return plan_of(Case("", spec, there, [], **more), POOL, UID)


def test_what_is_made_anew_of_its_document_alone_is_another_pool() -> None:
    gone = LastSeen(UID, xml("fs", source="<device path='/dev/sdz'/>"), autostart=True)
    [step] = planned(DIR, entry=AS_APPLIED, last_seen=gone).steps
    [define] = [each for each in step.operations if isinstance(each, Define)]
    assert step.why == "declared, and not on the host"
    assert (parse(define.xml).get("type"), parse(define.xml).find("source/device")) == ("dir", None)
    [again] = planned({"type": "fs"}, entry=AS_APPLIED, last_seen=gone).steps
    assert "/dev/sdz" in str(again.operations)


def test_the_password_is_named_by_its_place_and_never_written() -> None:
    [step] = planned(ISCSI).steps
    secret = step.operations[0]
    assert isinstance(secret, DefineSecret)
    assert secret.source == SecretSource(file=SECRET)
    [step] = planned(
        {**ISCSI, "source": {**ISCSI["source"], "auth": {"username": "us", "passwordFrom": {"env": "CHAP"}}}}
    ).steps
    assert isinstance(step.operations[0], DefineSecret)
    assert step.operations[0].source == SecretSource(env="CHAP")


def test_a_refused_change_is_told_with_both_values_and_the_ledger_holds_that_it_was_not_applied() -> None:
    plan = planned({**NFS, "active": False}, off(), entry=OURS)
    [blocked] = plan.blocked
    assert blocked.message == "StoragePool/disks: type can't go from dir to netfs; declare a new one"
    assert (blocked.path, blocked.line) == ("it.yaml", 1)
    [record] = plan.records
    assert record.facts["digest"] == "d0"


def test_what_waits_for_a_guest_says_so() -> None:
    running = {"guests": [guest(), DISK], "host": WITH_DISK, "entry": OURS}
    [blocked] = planned({**DIR, "active": False}, on(), **running).blocked
    assert (
        blocked.message
        == "StoragePool/disks can't be stopped: VirtualMachine/web would lose it; stop them or detach it first"
    )
    plan = planned({**DIR, "active": False}, on(), **running)
    assert [each.facts["digest"] for each in plan.records] == ["d0"]
    [waiting] = planned(DIR, on(xml(), xml(path="/srv/old")), **running).waiting
    assert [each.note for each in waiting.changes] == [
        "would cut off VirtualMachine/web; restarted as soon as none of them runs"
    ]


def test_a_restarted_pool_is_defined_before_it_is_stopped_and_told_as_replaced() -> None:
    [step] = planned(NFS, on(nfs("old")), entry=OURS).steps
    assert step.action is Action.REPLACE
    assert [change.pointer for change in step.changes] == ["/source/host"]


@pytest.mark.parametrize(
    ("spec", "folder"),
    [
        (DIR, "/srv/disks"),
        ({"type": "dir", "path": "/srv//disks/"}, "/srv/disks"),
        ({"type": "dir"}, ""),
        ({"type": "netfs"}, "/var/lib/libvirt/onggi/disks"),
        (LOGICAL, ""),
        (ISCSI, ""),
    ],
)
def test_only_a_pool_of_files_lies_in_a_folder(spec: dict[str, Any], folder: str) -> None:
    assert pool_folder(replace(resource(POOL), spec=spec)) == folder
    assert pool_folder(replace(resource(WEB), spec=spec)) == ""


def test_of_a_pool_that_would_not_be_made_there_today_it_is_told() -> None:
    [note] = planned({"type": "dir", "path": "/etc"}, on(xml(path="/etc")), entry=OURS, host=OF_ANOTHER_PLACE).notes
    assert note.startswith("StoragePool/disks stays as it is, although no pool may be made on /etc")
    elsewhere = planned({**DIR, "path": "/etc"}, on(xml(path="/var/disks")), entry=OURS, host=OF_ANOTHER_PLACE)
    assert [note.partition(":")[0] for note in elsewhere.notes] == [
        "StoragePool/disks stays as it is, although no pool may be made on /var/disks"
    ], "where it is, not where it isn't moved to"
    for spec, there, host in (
        ({**DIR, "path": "/etc"}, on(), OF_ANOTHER_PLACE),
        (DIR, on(), OF_ANOTHER_PLACE),
        ({"type": "dir", "path": "/etc"}, on(xml(path="/etc")), Host()),
        ({"type": "dir", "path": "/etc"}, None, OF_ANOTHER_PLACE),
        (LOGICAL, on(group("sda", "sdb")), OF_ANOTHER_PLACE),
    ):
        assert planned(spec, there, entry=OURS if there else None, host=host).notes == ()


def test_a_secret_that_a_client_handed_over_is_only_its_own_pools() -> None:
    kept = Host(reach=Reach(kept_secrets="/var/lib/onggi/secrets"))

    def naming(owner: str) -> Plan:
        auth = {"username": "us", "passwordFrom": {"file": f"/var/lib/onggi/secrets/{owner}-0123abcd"}}
        return planned({**ISCSI, "source": {**ISCSI["source"], "auth": auth}}, host=kept)

    assert [step.action for step in naming(pool_owner("disks")).steps] == [Action.CREATE]
    assert in_words(naming(pool_owner("other"))) == ["! disks NotAllowed"]


def test_a_document_of_which_only_a_part_may_be_had_is_applied_when_all_of_it_may() -> None:
    etc = {**DIR, "path": "/etc", "autostart": True}
    [step] = planned(etc, on(), entry=OURS, host=OF_ANOTHER_PLACE).steps
    assert step.owned is not None
    assert step.owned.facts["digest"] == f"{APPLIED} within reach"
    assert not step.drift
    after = planned(etc, on(autostart=True), entry=step.owned, host=Host())
    assert not after.steps[0].drift, "it is an edit that comes true now, nothing that somebody did on the host"
    before = planned(etc, on(), entry=AS_APPLIED, host=OF_ANOTHER_PLACE)
    assert before.steps[0].drift, "what was applied before it was refused stays applied"
