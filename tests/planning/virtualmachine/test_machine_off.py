"""What is done about a machine that is on the host and off, by what its document says and by who changed it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.desired.state import Policy
from tests.planning.machines import (
    ADDRESSED,
    CARD,
    DATA,
    FOREIGN,
    LAN,
    MADE_BY_HAND,
    ON_A_BRANCH,
    OTHERS,
    PLAIN,
    POOL,
    off,
    on,
    world,
)
from tests.planning.worlds import World, applied, check, found, table, wanted


@table(
    ("as declared, nothing is done", world(PLAIN, off(), last=PLAIN)),
    ("as declared, also when the ledger is lost", world(PLAIN, off())),
    (
        "what its guest is said to be changes nothing of one that is there",
        world(wanted(guestOs="windows11"), off(), last=PLAIN),
    ),
    (
        "an edit",
        world(wanted(memory=1024, cpus=2), off(), last=PLAIN),
        "~ web /memory /cpus: define (its document changed)",
    ),
    (
        "a change by hand is undone",
        world(PLAIN, off(wanted(memory=1024)), last=PLAIN),
        "~ web /memory: define (changed on the host since it was last applied)",
    ),
    (
        "what differs after the ledger was lost may be either",
        world(PLAIN, off(wanted(memory=1024))),
        "~ web /memory: define (differs from its document)",
    ),
    ("a field that is left to others", world(wanted(policy={"ignore_fields": ("/memory",)}), off(wanted(memory=1024)))),
    (
        "a field of a device that is left to others",
        world(
            wanted(
                interfaces=[{"bridge": "br0", "link": "up", "model": "virtio"}],
                policy={"ignore_fields": ("/interfaces/br0/model", "/interfaces/7/link", "/interfaces/0/link")},
            ),
            off(wanted(interfaces=[{"bridge": "br0", "link": "down", "model": "e1000"}])),
        ),
        "~ web /interfaces/52:54:00:4a:81:30/model: define (differs from its document)",
    ),
    (
        "the same by its name",
        world(
            wanted(
                interfaces=[{"bridge": "br0", "model": "virtio", "name": "out"}],
                policy={"ignore_fields": ("/interfaces/out/model",)},
            ),
            off(wanted(interfaces=[{"bridge": "br0", "model": "e1000", "name": "out"}])),
        ),
    ),
    (
        "a field within a field that is left to others",
        world(
            wanted(graphics={"type": "vnc", "listen": "0.0.0.0"}, policy={"ignore_fields": ("/graphics/listen",)}),
            off(wanted(graphics={"type": "vnc", "listen": "127.0.0.1"})),
        ),
    ),
    (
        "a group of fields that is left to others",
        world(
            wanted(graphics={"type": "vnc", "listen": "0.0.0.0"}, policy={"ignore_fields": ("/graphics",)}),
            off(wanted(graphics={"type": "vnc", "listen": "127.0.0.1"})),
        ),
    ),
    (
        "a group of fields that isn't declared and is left to others",
        world(
            wanted(policy={"ignore_fields": ("/graphics", "/graphics/listen")}),
            off(wanted(graphics={"type": "vnc", "listen": "127.0.0.1"})),
        ),
    ),
    (
        "power and autostart that are left to others",
        world(
            wanted(
                runStrategy="Always",
                autostart=True,
                policy={"ignore_fields": ("/runStrategy", "/autostart", "/paused")},
            ),
            off(),
            last=PLAIN,
        ),
    ),
    (
        "a card that isn't declared any more goes",
        world(PLAIN, off(wanted(interfaces=[{"bridge": "br0"}])), last=PLAIN),
        "~ web /interfaces/52:54:00:4a:81:30: define (changed on the host since it was last applied)",
    ),
    (
        "what only others have put there stays and is told",
        world(
            wanted(interfaces=[{"bridge": "br0"}]),
            off(
                wanted(interfaces=[{"bridge": "br0"}]),
                patch={
                    "</devices>": "<interface type='bridge'><mac address='52:54:00:00:00:09'/>"
                    "<source bridge='br9'/></interface></devices>"
                },
            ),
        ),
        "extra web /interfaces/52:54:00:00:00:09",
    ),
    (
        "nothing that isn't declared stays in a list that is complete",
        world(
            wanted(interfaces=[{"bridge": "br0"}], policy={"complete": ("interfaces",)}),
            off(
                wanted(interfaces=[{"bridge": "br0"}]),
                patch={
                    "</devices>": "<interface type='bridge'><mac address='52:54:00:00:00:09'/>"
                    "<source bridge='br9'/></interface></devices>"
                },
            ),
        ),
        "~ web /interfaces/52:54:00:00:00:09: define (differs from its document)",
    ),
    (
        "a disk that can't be had is told, and all else is done",
        world(
            wanted(title="new", disks=[{"name": "data", "volume": "default/data", "bus": "ide", "readOnly": True}]),
            POOL,
            found(DATA),
            off(),
            last=PLAIN,
        ),
        "~ web /title: define looking into default/data (its document changed)",
        "! web ChangeRefused: disks/default/data: the machine type q35 has no IDE; declare `bus: sata`, or…",
    ),
    (
        "it is to start with the host",
        world(wanted(autostart=True), off(), last=PLAIN),
        "~ web /autostart: autostart on (its document changed)",
    ),
    (
        "it isn't to start with the host any more",
        world(wanted(autostart=False), off(autostart=True), last=PLAIN),
        "~ web /autostart: autostart off (its document changed)",
    ),
    ("nobody said whether it starts with the host", world(PLAIN, off(autostart=True), last=PLAIN)),
    (
        "what this host can't run is refused, and nothing else is done",
        world(wanted(domainType="kvm", memory=1024), off(), last=PLAIN),
        "! web DependencyNotReady: This host can't run machines of the domain type 'kvm'; enable it there,…",
    ),
    (
        "a mark that was lost is written again",
        world(PLAIN, off(mark=None), last=PLAIN),
        "~ web /metadata: define (changed on the host since it was last applied)",
    ),
    (
        "a mark that names a branch, where nobody said which one is read",
        world(PLAIN, off(mark=ON_A_BRANCH), last=PLAIN),
    ),
    (
        "an address for a card that isn't found by it",
        world(ADDRESSED, LAN, off(MADE_BY_HAND), last=PLAIN),
        "! web MacNotDeclared: the interface lan has the MAC address 52:54:00:00:00:01 on this host, and…",
    ),
    (
        "an address for a card whose entry was renamed",
        world(
            wanted(interfaces=[{"network": "lan", "name": "first", "addresses": ["10.1.2.3/24"]}]),
            LAN,
            off(CARD),
            last=CARD,
        ),
        "! web MacNotDeclared: the interface first has the MAC address 52:54:00:fe:b9:77 on this host, and…",
    ),
    (
        "an address for a card whose MAC address is written beside it",
        world(
            wanted(interfaces=[{"network": "lan", "mac": "52:54:00:00:00:01", "addresses": ["10.1.2.3/24"]}]),
            LAN,
            off(MADE_BY_HAND),
            last=PLAIN,
        ),
    ),
    ("an address for a card of ours", world(ADDRESSED, LAN, off(CARD), last=CARD)),
    (
        "an address for a card that is left to others",
        world(replace(ADDRESSED, policy=Policy(ignore_fields=("/interfaces",))), LAN, off(MADE_BY_HAND)),
        "~ web /metadata: define (differs from its document)",
    ),
)
def test_a_machine_that_is_off(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


@table(
    (
        "somebody else's is refused",
        world(PLAIN, off(FOREIGN, mark=None)),
        "! web OwnedByOther: VirtualMachine/web already exists on this host and isn't onggi's; rename this…",
    ),
    (
        "another repository's is refused",
        world(PLAIN, off(mark=OTHERS)),
        "! web OwnedByOther: VirtualMachine/web on this host belongs to another repository…",
    ),
    (
        "adopting one that is as declared changes nothing",
        world(wanted(policy={"adopt": True}), off(FOREIGN, mark=None)),
    ),
    (
        "adopting one that differs marks it",
        world(wanted(cpus=2, policy={"adopt": True}), off(FOREIGN, mark=None)),
        "~ web /cpus: define (taken over, as its annotation onggi/adopt says)",
    ),
    (
        "taking one over from another repository says from which",
        world(wanted(policy={"adopt": True}), off(FOREIGN, mark=OTHERS)),
        "~ web /metadata: define (taken over from the repository ffffffff-0000-0000-0000-000000000000, as…",
    ),
    (
        "taking one over isn't held up by drift that is only told",
        world(wanted(policy={"adopt": True, "drift": "warn"}), off(FOREIGN, mark=OTHERS)),
        "~ web /metadata: define (taken over from the repository ffffffff-0000-0000-0000-000000000000, as…",
    ),
    (
        "adopting one that differs, where drift is only told",
        world(wanted(cpus=2, policy={"adopt": True, "drift": "warn"}), off(FOREIGN, mark=None)),
        "drifted web /cpus",
    ),
    (
        "adopting a transient one makes it persistent as soon as it is changed",
        world(wanted(cpus=2, policy={"adopt": True}), on(FOREIGN, mark=None, persistent=False)),
        "~ web /cpus: define (taken over, as its annotation onggi/adopt says)",
        "waits web /cpus",
    ),
    (
        "adopting a transient one leaves it so",
        world(wanted(runStrategy="Manual", policy={"adopt": True}), on(FOREIGN, mark=None, persistent=False)),
    ),
    (
        "an adopted one whose mark never came needs none while nothing changes",
        World((PLAIN,), (off(mark=None),), (applied(PLAIN, created=False),)),
    ),
    (
        "an adopted one about whose power nobody said a word stays off",
        World((PLAIN,), (found(PLAIN, reason="crashed"),), (applied(PLAIN, created=False),)),
    ),
)
def test_whose_machine_it_is(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


WATCHED, NOT_WATCHED = wanted(policy={"drift": "warn"}), wanted(policy={"drift": "ignore"})


@table(
    ("drift that is only told", world(WATCHED, off(wanted(memory=1024)), last=WATCHED), "drifted web /memory"),
    ("drift that is ignored", world(NOT_WATCHED, off(wanted(memory=1024)), last=NOT_WATCHED)),
    ("a lost ledger doesn't make drift an edit", world(WATCHED, off(wanted(memory=1024))), "drifted web /memory"),
    (
        "an edit is no drift",
        world(wanted(cpus=2, policy={"drift": "warn"}), off(), last=WATCHED),
        "~ web /cpus: define (its document changed)",
    ),
    ("a crash is drift too", world(WATCHED, found(PLAIN, reason="crashed"), last=WATCHED), "drifted web /runStrategy"),
    (
        "what waits of a running one goes on being told",
        world(
            wanted(memory=1024, policy={"drift": "warn"}),
            on(wanted(memory=1024), run=PLAIN),
            last=wanted(memory=1024, policy={"drift": "warn"}),
        ),
        "waits web /memory for its next boot, for which it has to be off: a reboot inside the guest isn't enough",
    ),
)
def test_drift_that_is_not_put_back(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


@table(
    (
        "what it is changed to is drift only while its document is as it was applied",
        world(PLAIN, off(wanted(memory=1024)), last=PLAIN),
        "~ web /memory: define (changed on the host since it was last applied)",
    ),
)
def test_drift(world: World, expected: list[str]) -> None:
    plan = world.plan()
    check(plan, *expected)
    assert plan.steps[0].drift
    assert not replace(world, ledger=()).plan().steps[0].drift
    assert not replace(world, desired=(wanted(cpus=2),)).plan().steps[0].drift
