"""What the host's administrator has forbidden isn't made, and what is there stays as it is; all else goes on."""

from __future__ import annotations

from dataclasses import replace

from specs.forbidden import told
from specs.forbidden_text import rule
from specs.host import Host
from specs.reach import Reach
from tests.planning.machines import CARD, LAN, PLAIN, off, on, world
from tests.planning.worlds import QEMU, World, check, table, wanted

OPEN = {"graphics": {"type": "vnc", "listen": "192.0.2.1"}}
CLOSED = {"graphics": {"type": "vnc", "listen": "127.0.0.1"}}
LISTEN = "VirtualMachine.graphics.listen!=127.0.0.1"
CARDS = "VirtualMachine.interfaces.network=lan"


def under(*rules: str) -> Host:
    return replace(QEMU, reach=Reach(forbidden=tuple(map(rule, rules))))


def says(*rules: str) -> str:
    return f"! web NotAllowed: {told(map(rule, rules))}"


@table(
    ("nothing of a kind is made", world(PLAIN, host=under("VirtualMachine")), says("VirtualMachine")),
    ("nor with such a field", world(wanted(**OPEN), host=under(LISTEN)), says(LISTEN)),
    ("nor with such an item of a list", world(CARD, LAN, host=under(CARDS)), says(CARDS)),
    (
        "nor in XML that says as much",
        world(wanted(xml="<domain><devices><watchdog model='i6300esb'/></devices></domain>"),
              host=under("VirtualMachine.watchdog", "VirtualMachine.bootMenu")),
        f"! web NotAllowed: xml: {told([rule('VirtualMachine.watchdog')])}",
    ),
    (
        "nor in any XML",
        world(wanted(xml="<domain><pm><suspend-to-mem enabled='no'/></pm></domain>"), host=under("VirtualMachine.xml")),
        says("VirtualMachine.xml"),
    ),
    (
        "all rules that it goes against are told",
        world(CARD, LAN, host=under(CARDS, "VirtualMachine.firmware=bios")),
        says(CARDS, "VirtualMachine.firmware=bios"),
    ),
    ("what is there already stays", world(wanted(**OPEN), on(wanted(**OPEN)), last=wanted(**OPEN), host=under(LISTEN)),
     says(LISTEN)),
    ("a field isn't changed to that", world(wanted(**OPEN), off(wanted(**CLOSED)), last=wanted(**CLOSED),
     host=under(LISTEN)), says(LISTEN)),
    (
        "all else of its document goes on",
        world(wanted(title="new", **OPEN), off(wanted(**CLOSED)), last=wanted(**CLOSED), host=under(LISTEN)),
        "~ web /title: define (its document changed)",
        says(LISTEN),
    ),
    (
        "a card that was there stays plugged in, and isn't marked as the document's any more",
        world(CARD, LAN, on(CARD), last=CARD, host=under(CARDS)),
        "~ web /metadata: define (its document changed)",
        says(CARDS),
    ),
    ("and isn't plugged in where there is none", world(CARD, LAN, on(), last=PLAIN, host=under(CARDS)), says(CARDS)),
    (
        "what can't be left out of a document holds all of it",
        world(wanted(title="new", runStrategy="Always"), off(), last=PLAIN,
              host=under("VirtualMachine.runStrategy=Always")),
        says("VirtualMachine.runStrategy=Always"),
    ),
)  # fmt: skip
def test_what_is_forbidden(world: World, expected: list[str]) -> None:
    check(world.plan(), *expected)
