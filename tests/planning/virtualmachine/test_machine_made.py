"""What is done about a machine that the host lacks, or has no definition of any more: it is made, as it was."""

from __future__ import annotations

from reconciler.planning.last_seen import LastSeen
from specs.reference import STORAGE_POOL
from tests.planning.machines import (
    AUTOSTARTED,
    CARD,
    DATA,
    GONE,
    PLAIN,
    POOL,
    SECRET,
    WITH_DATA,
    grows,
    off,
    undefined,
    world,
)
from tests.planning.worlds import WEB, World, applied, check, found, table, wanted


@table(
    ("a new one is defined and started", world(PLAIN), "+ web /memory: define, start (declared, and not on the host)"),
    (
        "a new one that is to stand still is started so",
        world(wanted(runStrategy="Always", paused=True)),
        "+ web /memory /runStrategy /paused: define, start paused (declared, and not on the host)",
    ),
    (
        "a new one that is to be off is only defined",
        world(wanted(runStrategy="Halted")),
        "+ web /memory /runStrategy: define (declared, and not on the host)",
    ),
    (
        "a new one's guest is told by all that it stands for",
        world(wanted(guestOs="windows")),
        "+ web /memory /guestOs /features /clock: define, start (declared, and not on the host)",
    ),
    (
        "a new one whose power is for people is only defined",
        world(wanted(runStrategy="Manual")),
        "+ web /memory /runStrategy: define (declared, and not on the host)",
    ),
    (
        "a new one that starts with the host",
        world(wanted(autostart=True)),
        "+ web /memory /autostart: define, autostart on, start (declared, and not on the host)",
    ),
    (
        "a new one that doesn't start with the host needs no word about it",
        world(wanted(autostart=False)),
        "+ web /memory /autostart: define, start (declared, and not on the host)",
    ),
    (
        "a new one's password is named and never told",
        world(wanted(graphics=SECRET)),
        "+ web /memory /graphics: define with its secret, start (declared, and not on the host)",
    ),
    (
        "a volume that others made is looked into",
        world(WITH_DATA, POOL, found(DATA)),
        "+ web /memory /disks: define looking into default/data, start (declared, and not on the host)",
    ),
    (
        "a volume that is only just made isn't",
        World((WITH_DATA, DATA), (POOL,)),
        "+ default/data /pool /capacity /format: create volume (declared, and not on the host)",
        "+ web /memory /disks: define, start (declared, and not on the host)",
    ),
    (
        "a volume that we made isn't",
        world(WITH_DATA, POOL, found(DATA), ledger=(applied(DATA),)),
        "+ web /memory /disks: define, start (declared, and not on the host)",
    ),
    (
        "a volume that we only took over is",
        world(WITH_DATA, POOL, found(DATA), ledger=(applied(DATA, created=False),)),
        "+ web /memory /disks: define looking into default/data, start (declared, and not on the host)",
    ),
    (
        "a pool that nobody has holds it up",
        world(WITH_DATA),
        "! web DependencyNotReady: VirtualMachine/web needs StoragePool/default, which is neither in the…",
    ),
    (
        "a network that nobody has only holds up its start",
        world(wanted(interfaces=[{"network": "lan"}])),
        "+ web /memory /interfaces: define (declared, and not on the host)",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is neither in the repository…",
    ),
    (
        "a device that isn't plugged in only holds up its start",
        world(wanted(hostDevices=[{"device": "usb_1_2"}])),
        "+ web /memory /hostDevices: define (declared, and not on the host)",
        "! web DependencyNotReady: The host has no PCI, USB or SCSI device 'usb_1_2' now; plug it in, or…",
    ),
    (
        "what this host can't run is refused",
        world(wanted(domainType="kvm")),
        "! web DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
    ),
)
def test_a_machine_that_is_not_on_the_host(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


@table(
    (
        "it is gone",
        world(PLAIN, last=PLAIN, gone=GONE),
        "+ web /memory: define, start (gone from the host; made again as it was last seen there, with what…",
    ),
    (
        "it is gone, and its document has changed too",
        world(wanted(memory=1024), last=PLAIN, gone=GONE),
        "+ web /memory: define, start (gone from the host; made again as it was last seen there, with what…",
    ),
    (
        "it is gone, and started with the host",
        world(PLAIN, last=PLAIN, gone=AUTOSTARTED),
        "+ web /memory: define, autostart on, start (gone from the host; made again as it was last seen…",
    ),
    (
        "it is gone, and isn't to start with the host any more",
        world(wanted(autostart=False), last=PLAIN, gone=AUTOSTARTED),
        "+ web /memory /autostart: define, start (gone from the host; made again as it was last seen there,…",
    ),
    (
        "it is gone, and was off",
        World((PLAIN,), (), (applied(PLAIN, lastRun="shutdown"),), gone=GONE),
        "+ web /memory: define (gone from the host; made again as it was last seen there, with what its…",
    ),
    (
        "it is gone with what its start needs",
        world(CARD, gone={WEB: LastSeen(CARD.uid, off(CARD).xml)}, last=CARD),
        "+ web /memory /interfaces: define (gone from the host; made again as it was last seen there, with…",
        "! web DependencyNotReady: VirtualMachine/web needs Network/lan, which is neither in the repository…",
    ),
    (
        "it is gone, and the pool of its disk is off: it had that disk",
        world(
            WITH_DATA,
            found(wanted("default", STORAGE_POOL, type="dir", path="/default"), "inactive"),
            last=WITH_DATA,
            gone={WEB: LastSeen(WITH_DATA.uid, off(WITH_DATA).xml)},
        ),
        "+ web /memory /disks: define (gone from the host; made again as it was last seen there, with what…",
        "! web DependencyNotReady: VirtualMachine/web waits for StorageVolume/default/data, which only shows…",
    ),
    (
        "it is gone, and the pool of a disk that it never had is off",
        world(
            WITH_DATA,
            found(wanted("default", STORAGE_POOL, type="dir", path="/default"), "inactive"),
            last=WITH_DATA,
            gone=GONE,
        ),
        "! web DependencyNotReady: VirtualMachine/web waits for StorageVolume/default/data, which only shows…",
    ),
    (
        "it runs and was undefined",
        world(PLAIN, undefined(), last=PLAIN, gone=GONE),
        "~ web /persistent: define (undefined on the host while it is active; made persistent again)",
    ),
    (
        "it runs and was undefined, and started with the host",
        world(PLAIN, undefined(autostart=True), last=PLAIN, gone=AUTOSTARTED),
        "~ web /persistent: define, autostart on (undefined on the host while it is active; made persistent…",
    ),
    (
        "it runs and was undefined, and nobody remembers it",
        world(PLAIN, undefined(), last=PLAIN),
        "~ web /persistent: define (undefined on the host while it is active; made persistent again)",
    ),
    (
        "it runs and was undefined, and isn't to be started again by onggi",
        world(grows("Graceful"), undefined(), last=PLAIN, gone=GONE),
        "~ web /persistent /memory: define (undefined on the host while it is active; made persistent again)",
        "waits web /memory for its next boot: a transient machine would be gone with its shutdown",
    ),
)
def test_a_machine_that_somebody_undefined(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)
