"""What a running machine is told at once, what waits for its next boot, and when it is restarted for that."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.operations import EditLive
from reconciler.planning.plan_options import PlanOptions, RefusedEdit
from specs.host import Feature
from tests.planning.machines import CARD, DATA, FOREIGN, LAN, PLAIN, POOL, SECRET, WITH_DATA, grows, off, on, world
from tests.planning.worlds import QEMU, WEB, World, check, found, table, wanted

STEADY = wanted(memory=512, maximumMemory=2048)
NO_HOTPLUG = replace(QEMU, features=QEMU.features - {Feature.DEVICE_HOTPLUG})
TO_FOLLOW = RefusedEdit("the guest has yet to follow it", until_boot=False)
TOLD = PlanOptions(refused_edits={(EditLive(WEB, "title", "new"), "7"): TO_FOLLOW})
REFUSED = PlanOptions(refused_edits={(EditLive(WEB, "title", "new"), "7"): RefusedEdit("libvirt refused it")})
STRANGER = "<interface type='bridge'><mac address='52:54:00:00:00:09'/><source bridge='br9'/></interface></devices>"
SEVENTH = {"<domain ": "<domain id='7' "}


@table(
    ("as declared, nothing is done", world(PLAIN, on(), last=PLAIN)),
    (
        "a title is told at once",
        world(wanted(title="new"), on(), last=PLAIN),
        "~ web /title: define, title new (its document changed)",
    ),
    (
        "memory within its maximum is told at once",
        world(wanted(memory=1024, maximumMemory=2048), on(STEADY)),
        "~ web /memory: define, memory 1048576 (differs from its document)",
    ),
    (
        "a guest that stands still gives no memory back",
        world(wanted(memory=1024, maximumMemory=2048), found(STEADY, "paused")),
        "~ web /memory: define (differs from its document)",
        "waits web /memory",
    ),
    (
        "memory beyond its maximum waits for the next boot",
        world(wanted(memory=1024), on(), last=PLAIN),
        "~ web /memory: define (its document changed)",
        "waits web /memory for its next boot, for which it has to be off: a reboot inside the guest isn't enough",
    ),
    (
        "a title that its document puts off",
        world(wanted(title="new", policy={"next_boot": frozenset({"title"})}), on(), last=PLAIN),
        "~ web /title: define (its document changed)",
        "waits web /title for its next boot, for which it has to be off: a reboot inside the guest isn't enough",
    ),
    (
        "a title for which the guest is waited for isn't told again",
        world(
            wanted(title="new"),
            on(wanted(title="new"), run=PLAIN, patch=SEVENTH),
            last=wanted(title="new"),
            options=TOLD,
        ),
        "waits web /title",
    ),
    (
        "a title that libvirt refused waits for the next boot",
        world(wanted(title="new"), on(patch=SEVENTH), last=PLAIN, options=REFUSED),
        "~ web /title: define (its document changed)",
        "waits web /title for its next boot, for which it has to be off: a reboot inside the guest isn't enough",
    ),
    (
        "a card is plugged in",
        world(CARD, LAN, on(), last=PLAIN),
        "~ web /interfaces/52:54:00:fe:b9:77: define, attach interface (its document changed)",
    ),
    (
        "a card is pulled out",
        world(PLAIN, LAN, on(CARD), last=CARD),
        "~ web /interfaces/52:54:00:fe:b9:77: define, detach interface (its document changed)",
    ),
    (
        "a card waits where nothing can be plugged in",
        world(CARD, LAN, on(), last=PLAIN, host=NO_HOTPLUG),
        "~ web /interfaces/52:54:00:fe:b9:77: define (its document changed)",
        "waits web /interfaces/52:54:00:fe:b9:77 for its next boot, for which it has to be off: a reboot…",
    ),
    (
        "what its definition has and its run lacks",
        world(wanted(title="new"), on(wanted(title="new"), run=PLAIN), last=wanted(title="new")),
        "~ web /title: title new (changed on the host since it was last applied)",
    ),
    (
        "a disk that is looked into before it is plugged in",
        world(WITH_DATA, POOL, found(DATA), on(), last=PLAIN),
        "~ web /disks/default/data: define looking into default/data, attach disk (its document changed)",
    ),
    (
        "a disk that the run still has and the definition hasn't isn't pulled",
        world(PLAIN, POOL, found(DATA), on(run=WITH_DATA), last=PLAIN),
        "waits web /disks/default/data for its next boot, for which it has to be off: a reboot inside the…",
    ),
    (
        "a card that the run still has and the definition hasn't is pulled",
        world(PLAIN, LAN, on(run=CARD), last=PLAIN),
        "~ web /interfaces/52:54:00:fe:b9:77: detach interface (changed on the host since it was last applied)",
    ),
    (
        "a card that the run still has is left where cards are left to others",
        world(wanted(policy={"ignore_fields": ("/interfaces",)}), LAN, on(run=CARD), last=PLAIN),
    ),
    (
        "a card that somebody plugged into the run stays",
        world(PLAIN, replace(on(), live_xml=on().xml.replace("</devices>", STRANGER)), last=PLAIN),
    ),
    (
        "it crashed",
        world(PLAIN, found(PLAIN, "crashed"), last=PLAIN),
        "~ web /runStrategy: start after it crashed (it crashed; runStrategy: RerunOnFailure starts it again)",
    ),
    (
        "it crashed, and its document has changed",
        world(wanted(title="new"), found(PLAIN, "crashed"), last=PLAIN),
        "~ web /title /runStrategy: define, start after it crashed (its document changed; it crashed;…",
    ),
    (
        "it is switched on by its document, which changes it too",
        world(wanted(title="new"), off(), last=wanted(runStrategy="Halted")),
        "~ web /title /runStrategy: define, start (its document changed)",
    ),
    (
        "it is switched on by its document",
        world(PLAIN, off(), last=wanted(runStrategy="Halted")),
        "~ web /runStrategy: start (its document changed)",
    ),
    (
        "it is to be off",
        world(wanted(runStrategy="Halted"), on(), last=PLAIN),
        "~ web /runStrategy: stop within 60 s (its document changed)",
    ),
    (
        "it is to be off, and it is told nothing before",
        world(wanted(runStrategy="Halted", title="new"), on(), last=PLAIN),
        "~ web /title /runStrategy: define, stop within 60 s (its document changed)",
    ),
    (
        "it is to stand still",
        world(wanted(paused=True), on(), last=PLAIN),
        "~ web /paused: pause (its document changed)",
    ),
    (
        "it is to go on",
        world(wanted(paused=False), found(PLAIN, "paused"), last=PLAIN),
        "~ web /paused: resume (its document changed)",
    ),
    (
        "a password comes",
        world(wanted(graphics=SECRET), on(wanted(graphics={"type": "vnc"})), last=wanted(graphics={"type": "vnc"})),
        "~ web /graphics/passwordFrom: define with its secret (its document changed)",
        "waits web /graphics/passwordFrom for its next boot, for which it has to be off: a reboot inside the…",
    ),
    (
        "a password is put in again with each new document",
        world(
            wanted(graphics=SECRET, title="new"),
            on(wanted(graphics=SECRET), patch={"<graphics ": "<graphics passwd='*****' "}),
            last=wanted(graphics=SECRET),
        ),
        "~ web /title /graphics/passwordFrom: define with its secret, title new, update graphics (its…",
    ),
)
def test_a_machine_that_runs_or_is_to_run(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)


@table(
    (
        "nobody restarts it for a change",
        world(grows(), on(), last=PLAIN),
        "~ web /memory: define (its document changed)",
        "waits web /memory for its next boot, for which it has to be off: a reboot inside the guest isn't enough",
    ),
    (
        "it is restarted for a change",
        world(grows("Graceful"), on(), last=PLAIN),
        "~ web /memory: define, stop within 60 s, start (its document changed; restartPolicy: Graceful…",
        "waits web /memory for the restart that restartPolicy: Graceful asks its guest for",
    ),
    (
        "it is to stand still first, and is restarted later",
        world(grows("Graceful", paused=True), on(), last=PLAIN),
        "~ web /memory /paused: define, pause (its document changed)",
        "waits web /memory",
    ),
    (
        "it is restarted for what waits already",
        world(grows("Graceful"), on(grows("Graceful"), run=PLAIN), last=grows("Graceful")),
        "~ web /memory: stop within 60 s, start (restartPolicy: Graceful restarts it for /memory)",
        "waits web /memory for the restart that restartPolicy: Graceful asks its guest for",
    ),
    (
        "it waits for a reboot of its guest",
        world(grows("WhenStopped"), on(), last=PLAIN),
        "~ web /memory: define (its document changed)",
        "waits web /memory for the moment when it is off, or when its guest reboots",
    ),
    (
        "its guest has rebooted",
        world(grows("WhenStopped"), on(), last=PLAIN, options=PlanOptions(rebooted=frozenset({WEB}))),
        "~ web /memory: define, stop within 60 s, start (its document changed; its guest rebooted, and…",
        "waits web /memory for the restart that restartPolicy: WhenStopped asks its guest for",
    ),
    (
        "it lacks something, and would not come back",
        world(grows("Graceful", interfaces=[{"network": "gone"}]), on(), last=PLAIN),
        "~ web /memory /interfaces/52:54:00:b9:03:9c: define (its document changed)",
        "! web DependencyNotReady: VirtualMachine/web needs Network/gone, which is neither in the repository…",
        "waits web /memory for what it lacks, for without that it wouldn't start again",
    ),
    (
        "it stands still",
        world(grows("Graceful"), found(PLAIN, "paused", "user"), last=PLAIN),
        "~ web /memory: define (its document changed)",
        "waits web /memory for its restart, once it runs: it is paused and can't shut itself down",
    ),
    (
        "it is stopped anyhow",
        world(grows("Graceful", runStrategy="Halted"), on(), last=PLAIN),
        "~ web /memory /runStrategy: define, stop within 60 s (its document changed)",
    ),
    (
        "it is only just taken over",
        world(grows("Graceful", policy={"adopt": True}), on(FOREIGN, mark=None)),
        "~ web /memory: define (taken over, as its annotation onggi/adopt says)",
        "waits web /memory",
    ),
)
def test_changes_that_wait_for_a_restart(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)
