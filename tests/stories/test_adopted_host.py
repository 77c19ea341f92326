"""A host that others made is exported, adopted, observed and at last enforced, without a guest noticing."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest

from reconciler.exporting.export import export
from reconciler.hypervisor import Hypervisor
from reconciler.line import adopting
from reconciler.line.line import Line
from reconciler.planning.operations import Define
from reconciler.settings.settings import Settings
from specs.mark import NAMESPACE, Mark
from specs.overlay.areas import AREAS
from specs.reference import Ref
from tests.corpus.host import make_volumes, only, write
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository

MACHINE = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{folder}/root.qcow2'/><target dev='vda' bus='virtio'/>
    </disk>
    <interface type='network'><source network='{network}'/><model type='virtio'/></interface>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""


class MadeByOthers:
    """A machine that runs with its CPUs stopped, one that is off, a network and a pool, and documents of them all."""

    def __init__(self, connection: libvirt.virConnect, objects: HostObjects, images: Path) -> None:
        self.connection = connection
        self.running = Ref("VirtualMachine", objects.name("running"))
        self.stopped = Ref("VirtualMachine", objects.name("stopped"))
        self.network = Ref("Network", objects.name("lan"))
        self.pool = Ref("StoragePool", objects.name("images"))
        self.images = images
        self.prefix = objects.prefix
        self.repository_id = str(uuid.uuid4())  # of each test: others adopt on the same host, and prune what is theirs

    def make(self, hypervisor: Hypervisor, subnet: ipaddress.IPv4Network) -> None:
        """Make everything with libvirt's own calls."""
        make_volumes(hypervisor, self.pool, self.images, ["root.qcow2"])
        network = self.connection.networkDefineXML(
            f"<network><name>{self.network.name}</name><ip address='{subnet[1]}' prefix='24'>"
            f"<dhcp><range start='{subnet[10]}' end='{subnet[99]}'/></dhcp></ip></network>"
        )
        network.create()
        words = {"folder": self.images, "network": self.network.name}
        running = self.connection.defineXML(MACHINE.format(name=self.running.name, **words))
        running.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        stopped = re.sub(r"(?s)<disk.*</disk>", "", MACHINE)
        self.connection.defineXML(stopped.format(name=self.stopped.name, **words))

    def domain(self, ref: Ref) -> libvirt.virDomain:
        """The domain as it is now."""
        return self.connection.lookupByName(ref.name)

    def xmls(self) -> list[str]:
        """All definitions, running and persistent."""
        both = [self.domain(self.running), self.domain(self.stopped)]
        network = self.connection.networkLookupByName(self.network.name)
        pool = self.connection.storagePoolLookupByName(self.pool.name)
        return [
            *(each.XMLDesc(flag) for each in both for flag in (0, libvirt.VIR_DOMAIN_XML_INACTIVE)),
            network.XMLDesc(),
            re.sub(r"<(allocation|available|capacity)[^/]*/\w+>", "", pool.XMLDesc()),
        ]


@pytest.fixture
def host(
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    dir_pool_folder: Path,
    free_subnet: ipaddress.IPv4Network,
    qemu_system: str,
    tmp_path: Path,
) -> MadeByOthers:
    made = MadeByOthers(qemu_connection, host_objects, dir_pool_folder)
    hypervisor = Hypervisor.open(qemu_system)
    try:
        made.make(hypervisor, free_subnet)
        found = export(only(hypervisor.observe(), made.prefix), made.repository_id)
    finally:
        hypervisor.close()
    write(found, tmp_path / "documents", made.repository_id)
    return made


@contextmanager
def opened(tmp_path: Path, uri: str, state: str = "state") -> Iterator[Line]:
    settings = Settings(
        repository=str(tmp_path / "documents"), connect=uri, state=tmp_path / state, allow_xml=tuple(AREAS)
    )
    with Line.open(settings, exclusive=True) as line:
        yield line


def adopt(line: Line, *, enforce: bool = False) -> list[adopting.Candidate]:
    desired, snapshot = line.desired(), line.observe()
    found = adopting.candidates(line, desired, snapshot)
    if enforce:
        outcomes = adopting.enforce(line, desired, snapshot, found)
        assert [outcome.message for outcome in outcomes if outcome.message] == []
    else:
        adopting.observe(line, found)
    return found


# dmacvicar/terraform-provider-libvirt#254, #790, #1090: after an import everything "must be replaced".
def test_a_running_host_is_exported_and_its_plan_is_empty(host: MadeByOthers, qemu_system: str, tmp_path: Path) -> None:
    before = host.xmls()
    with opened(tmp_path, qemu_system) as line:
        desired = line.desired()
        assert desired.problems == ()
        assert len(desired.resources) == 5
        plan = line.plan()
        assert (plan.steps, plan.blocked, plan.drifted, plan.waiting) == ((), (), (), ())
        done = line.converge()
        assert done.outcomes == ()
        assert done.succeeded
        assert line.plan().records == ()
    assert host.xmls() == before


def test_an_observed_host_is_never_changed_and_an_enforced_one_is_healed(
    host: MadeByOthers, qemu_system: str, tmp_path: Path
) -> None:
    with opened(tmp_path, qemu_system) as line:
        assert {each.standing for each in adopt(line)} == {adopting.Standing.TAKEN}
        changed = host.domain(host.stopped)
        changed.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "by hand", None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        changed.setMemoryFlags(32 << 10, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        before = host.xmls()
        plan = line.converge().remaining
        assert [ref for ref, _ in plan.drifted] == [host.stopped]
        assert host.xmls() == before

        adopt(line, enforce=True)
        assert [step.ref for step in line.plan().steps] == [host.stopped]
        assert line.converge().succeeded
        assert line.observe().objects[host.stopped].config["memory"] == 64
        assert "<title>by hand</title>" in host.domain(host.stopped).XMLDesc()  # what isn't declared stays


def test_enforcing_writes_the_mark_into_the_running_machine_too(
    host: MadeByOthers, qemu_system: str, tmp_path: Path
) -> None:
    with opened(tmp_path, qemu_system) as line:
        adopt(line)
        assert NAMESPACE not in host.domain(host.running).XMLDesc()
        adopt(line, enforce=True)
        for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE):
            assert NAMESPACE in host.domain(host.running).XMLDesc(flags)
        mark = line.observe().objects[host.running].mark
        assert isinstance(mark, Mark)
        assert (mark.repository_id, mark.name) == (host.repository_id, host.running.name)
        assert any(pointer.startswith("/disks/") for pointer in mark.managed)
        assert line.plan().empty
        assert line.ledger.history.events()[-1].result == "configured"
    assert host.domain(host.running).state()[0] == libvirt.VIR_DOMAIN_PAUSED
    with opened(tmp_path, qemu_system, "another-state") as line:  # the first one was lost
        assert line.plan().empty


# AshleyYakeley/NixVirt#103: hand-made machines that were there before get undefined.
# fluxcd/flux2#1366, fluxcd/flux2#3949, argoproj/argo-cd#15058: what was never managed is pruned.
def test_what_is_only_observed_stays_when_its_document_goes(
    host: MadeByOthers, qemu_system: str, tmp_path: Path
) -> None:
    with opened(tmp_path, qemu_system) as line:
        adopt(line)
        (tmp_path / "documents" / "vms" / f"{host.stopped.name}.yaml").unlink()
        assert line.converge().succeeded
        assert host.domain(host.stopped).name() == host.stopped.name
        assert host.stopped not in line.ledger.ownership.all()  # nobody's again


def test_what_was_never_declared_is_never_pruned(host: MadeByOthers, qemu_system: str, tmp_path: Path) -> None:
    (tmp_path / "documents" / "vms" / f"{host.stopped.name}.yaml").unlink()
    before = host.xmls()
    with opened(tmp_path, qemu_system) as line:
        assert line.converge().succeeded
    assert host.xmls() == before


# AshleyYakeley/NixVirt#5: transient domains crash the tool.
def test_a_transient_machine_beside_them_changes_nothing(
    host: MadeByOthers, qemu_system: str, host_objects: HostObjects, tmp_path: Path
) -> None:
    passing = host_objects.name("passing")
    host.connection.createXML(
        f"<domain type='qemu'><name>{passing}</name><memory unit='MiB'>32</memory>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>",
        libvirt.VIR_DOMAIN_START_PAUSED,
    )
    with opened(tmp_path, qemu_system) as line:
        found = export(only(line.observe(), host.prefix), host.repository_id)
        assert any(f"VirtualMachine/{passing} is transient" in note for note in found.notes)
        assert adopt(line)
        assert line.converge().succeeded


FOREIGN = (
    "<domain type='test'><name>web</name><uuid>6b1f7c1e-0d3c-4f0e-8a55-0b6f2f1d7a99</uuid>"
    "<memory unit='MiB'>96</memory>{metadata}<os><type>hvm</type></os></domain>"
)
WEB = Ref("VirtualMachine", "web")
WANTED = (
    "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: web, annotations: {%s}}\n"
    "spec: {memory: 64, runStrategy: Manual}\n"
)


@pytest.fixture
def line(repository: Repository, private_test_uri: str, tmp_path: Path) -> Iterator[Line]:
    repository.commit({"web.yaml": WANTED % ""})
    settings = Settings(repository=str(repository.path), connect=private_test_uri, state=tmp_path / "state")
    with Line.open(settings, exclusive=True) as made:
        yield made


def define_foreign(line: Line, metadata: str = "") -> str:
    uid = "6b1f7c1e-0d3c-4f0e-8a55-0b6f2f1d7a99"
    line.hypervisor.perform(Define(WEB, uid, FOREIGN.format(metadata=metadata)))
    return line.observe().objects[WEB].xml


# ansible-collections/community.libvirt#53, #47, ansible/ansible#37660: defining what exists is ignored in silence.
def test_a_foreign_machine_of_a_wanted_name_is_a_clear_conflict_and_never_overwritten(line: Line) -> None:
    before = define_foreign(line)
    done = line.converge()
    assert not done.succeeded
    assert [(item.reason, item.ref) for item in done.remaining.blocked] == [("OwnedByOther", WEB)]
    assert "rename this document, or take the existing one over" in done.remaining.blocked[0].message
    assert line.observe().objects[WEB].xml == before


def test_another_repositorys_machine_is_taken_only_when_the_document_says_so_and_the_plan_says_from_whom(
    line: Line, repository: Repository
) -> None:
    mark = f"<metadata><o:origin xmlns:o='{NAMESPACE}' repository='the-other' name='web'/></metadata>"
    before = define_foreign(line, mark)
    assert [item.reason for item in line.converge().remaining.blocked] == ["OwnedByOther"]
    refused = adopt(line)
    assert [each.standing for each in refused] == [adopting.Standing.REFUSED]
    assert line.observe().objects[WEB].xml == before
    repository.commit({"web.yaml": WANTED % 'onggi/adopt: "true"'})
    assert [step.why for step in line.plan().steps] == [
        "taken over from the repository the-other, as its annotation onggi/adopt says"
    ]


# dmacvicar/terraform-provider-libvirt#657, #1062: an upgrade of the tool marked a hundred guests for replacement.
def test_an_upgrade_of_the_agent_changes_no_plan(line: Line, repository: Repository) -> None:
    repository.commit({"web.yaml": WANTED % "" + "---\n" + (WANTED % "").replace("web", "db")})
    assert line.converge().succeeded
    # An older release knew fewer facts, other digests, and fewer pointers in its marks.
    for entry in line.ledger.ownership.all().values():
        line.ledger.change(own=[type(entry)(entry.ref, entry.uid, entry.path, facts={"digest": "of an older release"})])
    plan = line.plan()
    assert plan.steps == ()
    assert plan.blocked == ()
    for ref in list(line.ledger.ownership.all()):
        line.ledger.change(disown=[ref])
    plan = line.plan()
    assert plan.steps == ()
    assert plan.blocked == ()
