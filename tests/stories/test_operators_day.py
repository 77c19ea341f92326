"""One day of an operator and three machines, with every slip that costs data elsewhere.

Two of the machines run a guest that writes to its disks; the third one is off. Whatever the documents, a hand on the
host or another agent say meanwhile: at the end of the day nothing that a guest wrote is gone.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.line.convergence import Convergence
from reconciler.line.line import Line
from reconciler.planning.plan import Plan
from reconciler.settings.settings import Settings
from tests.lab.libvirtd import HostObjects
from tests.lab.repositories import Repository, git
from tests.lab.serial_console import SerialConsole
from tests.lab.waiting import until
from tests.stories.live_guest import BASE, BOOT_LIMIT_S, document

MIB = 1 << 20
GUESTS = ("web", "db")
INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE


class Day:
    """What the operator works with: a repository, its host, and `onggi apply` with whatever it is told."""

    def __init__(
        self,
        uri: str,
        hand: libvirt.virConnect,
        objects: HostObjects,
        repository: Repository,
        folder: Path,
        state: Path,
    ) -> None:
        self.uri, self.hand, self.objects, self.repository = uri, hand, objects, repository
        self.folder, self.state = folder, state
        self.specs: dict[str, dict[str, Any]] = {}

    def open(self, *, repository: Repository | None = None, state: str = "", **settings: Any) -> Line:
        """onggi on this host, as a command would begin."""
        source = str((repository or self.repository).path)
        where = self.state.with_name(state) if state else self.state
        folders = (str(self.folder),)
        told = Settings(repository=source, connect=self.uri, state=where, allowed_folders=folders, **settings)
        return Line.open(told, exclusive=True)

    def apply(self, **settings: Any) -> Convergence:
        """`onggi apply`."""
        with self.open(**settings) as line:
            return line.converge()

    def plan(self, **settings: Any) -> Plan:
        """`onggi plan`."""
        with self.open(**settings) as line:
            return line.plan()

    def approve(self, plan: Plan) -> None:
        """`onggi approve` of all that waits."""
        with self.open() as line:
            line._note(plan)
            for item in plan.blocked:
                line.ledger.decisions.approve(item.digest)

    def commit(self, kind: str, what: str, spec: Mapping[str, Any]) -> None:
        """Write a document of its own file; `spec` is remembered."""
        self.specs[what] = dict(spec)
        self.repository.commit({f"{what}.yaml": document(kind, self.objects.name(what), spec)}, f"Edit {what}")

    def edit(self, what: str, **fields: Any) -> None:
        """Change fields of a machine's document; None takes one out."""
        spec = {key: value for key, value in {**self.specs[what], **fields}.items() if value is not None}
        self.commit("VirtualMachine", what, spec)

    def back(self) -> None:
        """`git revert` of the newest commit."""
        git(self.repository.path, "revert", "--no-edit", "HEAD")

    def domain(self, what: str) -> libvirt.virDomain:
        return self.hand.lookupByName(self.objects.name(what))

    def definition(self, what: str) -> etree._Element:
        return etree.fromstring(self.domain(what).XMLDesc(INACTIVE))

    def machines(self) -> set[str]:
        names = (domain.name() for domain in self.hand.listAllDomains())
        return {name.removeprefix(self.objects.prefix) for name in names if name.startswith(self.objects.prefix)}

    def runs(self) -> dict[str, int]:
        """Which run of each guest this is."""
        return {what: self.domain(what).ID() for what in GUESTS}

    def disk(self, file: str, pool: str = "disks") -> Path:
        return self.folder / pool / self.objects.name(file)

    def files(self) -> set[str]:
        found = {path.name for pool in ("disks", "more") for path in (self.folder / pool).iterdir()}
        return {name.removeprefix(self.objects.prefix) for name in found if name.startswith(self.objects.prefix)}

    def console(self, what: str) -> SerialConsole:
        return SerialConsole(self.uri, self.objects.name(what))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def day(
    qemu_system: str,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    repository: Repository,
    guest_base: Path,
    free_subnet: ipaddress.IPv4Network,
    tmp_path: Path,
) -> Iterator[Day]:
    folder = guest_base.parent
    day = Day(qemu_system, qemu_connection, host_objects, repository, folder, tmp_path / "state")
    for pool in ("disks", "more"):
        (folder / pool).mkdir(mode=0o755)
        day.commit("StoragePool", pool, {"type": "dir", "path": str(folder / pool)})
    guest_base.rename(folder / "disks" / BASE)
    lower, upper = free_subnet.subnets()
    hosts = list(lower.hosts())
    dhcp = {"start": str(hosts[9]), "end": str(hosts[49])}
    day.commit("Network", "net", {"mode": "isolated", "subnet": str(lower), "dhcp": dhcp})
    quarter = next(upper.subnets())
    gateway = str(quarter[-2])
    day.commit("Network", "spare", {"mode": "isolated", "subnet": str(quarter), "gateway": gateway})
    disks, name = host_objects.name("disks"), host_objects.name
    for what in GUESTS:
        day.commit(
            "VirtualMachine",
            what,
            {
                "memory": 192,
                "domainType": "emulated",
                "runStrategy": "Always",
                "disks": [
                    {"name": "root", "size": "1GiB", "pool": disks, "base": BASE},
                    {"name": "data", "size": "16MiB", "pool": disks},
                ],
                "interfaces": [{"network": name("net")}],
                "cloudInit": {"pool": disks, "userData": f"#cloud-config of {what}"},
            },
        )
    day.commit(
        "VirtualMachine",
        "box",
        {
            "memory": 64,
            "domainType": "emulated",
            "runStrategy": "Halted",
            "disks": [{"name": "data", "size": "1MiB", "format": "raw", "pool": disks}],
            "interfaces": [{"network": name("net")}],
            "graphics": {"type": "spice"},
        },
    )
    yield day
    (folder / "disks" / BASE).rename(guest_base)


def test_nothing_that_a_guest_wrote_is_ever_gone(day: Day) -> None:
    done = day.apply()
    assert done.succeeded, [outcome.message for outcome in done.outcomes]
    written = write_data(day)
    runs, files = day.runs(), day.files()

    a_disk_is_moved_and_renamed(day)
    a_disk_is_taken_away_by_hand(day)
    another_agent_reads_another_folder_and_another_repository(day)
    machines_are_undefined_by_hand(day)
    a_machine_is_renamed_by_hand(day)
    fields_that_others_hang_on_change(day)
    documents_are_emptied_and_removed(day)

    assert day.runs() == runs, "no guest was restarted all day"
    assert day.files() == files, "no disk came or went"
    the_guests_boot_again_and_have_what_they_wrote(day, written)


def write_data(day: Day) -> dict[str, str]:
    """Each guest writes; what it wrote by its own checksum. The third machine's disk is written to from here."""
    written = {}
    for what in GUESTS:
        with day.console(what) as console:
            console.wait_until_ready(BOOT_LIMIT_S)
            read = "mkdir -p /run/seed; mount -t iso9660 -o ro /dev/sr0 /run/seed; head -n 1 /run/seed/user-data; echo"
            seed = until(lambda line=console, read=read: line.command(read), 60, "the guest reads its seed")
            assert seed == f"#cloud-config of {what}"
            console.command("dd if=/dev/urandom of=/dev/vdb bs=1M count=16 conv=fsync 2> /dev/null")
            written[what] = console.command("sha256sum /dev/vdb")
    day.disk("box-data.img").write_bytes(os.urandom(MIB))
    written["box"] = sha256(day.disk("box-data.img"))
    return written


def a_disk_is_moved_and_renamed(day: Day) -> None:
    disks = day.specs["web"]["disks"]
    before = etree.tostring(day.definition("web").find("devices"))
    day.edit("web", disks=[disks[0], {**disks[1], "pool": day.objects.name("more")}])
    asked = day.apply().remaining.blocked
    assert {item.reason for item in asked} == {"NeedsApproval"}
    assert etree.tostring(day.definition("web").find("devices")) == before

    day.edit("web", title="Goes on meanwhile")
    day.apply()
    assert day.definition("web").findtext("title") == "Goes on meanwhile"

    for renamed in ([{**disks[0], "name": "system"}, disks[1]], [disks[0], {**disks[1], "name": "store"}], disks):
        day.edit("web", disks=renamed)
        assert day.apply().succeeded
    assert etree.tostring(day.definition("web").find("devices")) == before, "the same disks under other names"


def a_disk_is_taken_away_by_hand(day: Day) -> None:
    disk = day.disk("box-data.img")
    aside = disk.with_name("aside")
    disk.rename(aside)
    done = day.apply()
    assert not done.succeeded
    assert "DataLost" in {item.reason for item in done.remaining.blocked}
    assert not disk.exists(), "nothing empty takes its place"
    aside.rename(disk)
    assert day.apply().succeeded


def another_agent_reads_another_folder_and_another_repository(day: Day) -> None:
    day.repository.commit({"networks/README": "nothing but this"})
    day.apply(path="networks", state="other-state")
    assert day.machines() == {"web", "db", "box"}
    day.apply(path="networks")
    assert day.machines() == {"web", "db", "box"}
    stranger = Repository(day.state.with_name("stranger"))
    stranger.commit({"README": "not these machines", "p.yaml": document("Template", "t", {"memory": 1024})})
    day.apply(repository=stranger)
    assert day.machines() == {"web", "db", "box"}
    assert day.apply().succeeded


def machines_are_undefined_by_hand(day: Day) -> None:
    day.domain("db").undefine()
    assert not day.domain("db").isPersistent()
    assert day.apply().succeeded
    assert day.domain("db").isPersistent()

    box = day.domain("box")
    uid = box.UUIDString()
    box.attachDeviceFlags("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")
    day.apply()
    before = day.definition("box")
    box.undefine()
    assert day.apply().succeeded
    after = day.definition("box")
    assert day.domain("box").UUIDString() == uid
    assert after.find("devices/rng") is not None, "what no document says of it is back too"
    for path in ("devices/interface/mac", "devices/interface/address", "devices/disk/address"):
        assert dict(after.find(path).attrib) == dict(before.find(path).attrib)


def a_machine_is_renamed_by_hand(day: Day) -> None:
    day.domain("box").rename(day.objects.name("renamed"))
    day.edit("box", title="Called by its name")
    assert day.apply().succeeded
    assert day.machines() == {"web", "db", "box"}
    assert day.definition("box").findtext("title") == "Called by its name"


def fields_that_others_hang_on_change(day: Day) -> None:
    (disk,) = day.specs["box"]["disks"]
    day.edit("box", graphics={"type": "vnc"}, disks=[{**disk, "bus": "sata"}])
    assert day.apply().succeeded
    assert day.definition("box").find("devices/graphics").get("type") == "vnc"
    assert day.definition("box").find("devices/disk[@device='disk']/target").get("bus") == "sata"
    spare = day.specs["spare"]
    wider = str(ipaddress.ip_network(spare["subnet"]).supernet())
    day.commit("Network", "spare", {"mode": "isolated", "subnet": wider})
    assert day.apply().succeeded
    network = day.hand.networkLookupByName(day.objects.name("spare"))
    address = etree.fromstring(network.XMLDesc()).find("ip")
    there = ipaddress.ip_interface(f"{address.get('address')}/{address.get('netmask') or address.get('prefix')}")
    assert (str(there.ip), str(there.network)) == (spare["gateway"], wider), "the gateway that fits stays"

    day.edit("web", cdroms=[{"name": "media", "bootOrder": 1}])
    day.apply()
    orders = [int(each.get("order")) for each in day.definition("web").iterfind("devices/*/boot")]
    assert len(orders) > 1 and min(orders) == 1, "the other devices are still asked after it"


def documents_are_emptied_and_removed(day: Day) -> None:
    day.repository.commit({"db.yaml": "# to be filled in later\n"}, "Empty a file")
    day.apply()
    assert day.machines() == {"web", "db", "box"}
    day.back()
    day.repository.remove("web.yaml", "db.yaml", "net.yaml")
    done = day.apply()
    assert "NeedsApproval" in {item.reason for item in done.remaining.blocked}
    assert day.machines() == {"web", "db", "box"}
    day.back()
    done = day.apply()
    assert not done.remaining.steps and not done.remaining.blocked


def the_guests_boot_again_and_have_what_they_wrote(day: Day, written: Mapping[str, str]) -> None:
    for what in GUESTS:
        day.edit(what, runStrategy="Halted")
    assert day.apply().succeeded
    for what in GUESTS:
        day.edit(what, runStrategy="Always")
    assert day.apply().succeeded
    for what in GUESTS:
        until(day.domain(what).isActive, 30, f"{what} runs again")
        with day.console(what) as console:
            console.wait_until_ready(BOOT_LIMIT_S)
            assert console.command("sha256sum /dev/vdb") == written[what]
    assert sha256(day.disk("box-data.img")) == written["box"]
