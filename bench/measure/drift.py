"""What does it cost to find one machine in a hundred that was changed by hand, and to put it right? Beside a bare loop.

The loop knows what every definition should be to the letter, reads all of them, and defines anew what differs. Both
read everything: neither is told where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import libvirt

from bench import names
from bench.table import Row, seconds
from bench.timing import Times, timed
from bench.world import URI, World
from reconciler.line.line import Line
from reconciler.settings.settings import Settings

_MOST = 2.0
_SHARE = 100
_OTHER_MIB = names.MEMORY_MIB - 8


def measure(world: World, repository: Path, state: Path, machines: int, repeat: int) -> Iterator[Row]:
    """Expects the machines to be as the repository says, and leaves them so."""
    changed = [names.machine(number) for number in range(0, machines, _SHARE)]
    settings = Settings(repository=str(repository), connect=URI, state=state)
    bare = libvirt.open(URI)
    with Line.open(settings, exclusive=True) as line:

        def heal() -> None:
            plan = line.plan()
            if len(plan.steps) != len(changed) or not all(step.drift for step in plan.steps):
                raise RuntimeError(f"{len(changed)} repairs expected, planned are {len(plan.steps)}")
            line.apply(plan)

        line.plan()  # a warm process, as the loop is one
        wanted = _definitions(bare)
        loops, repairs = [], []
        for _ in range(repeat):
            loops.append(_repaired(world, changed, lambda: _loop(bare, wanted)))
            repairs.append(_repaired(world, changed, heal))
            line.observe()  # the loop's repairs of the next round have to be news again
    bare.close()
    loop, repair = Times(tuple(loops)).median, Times(tuple(repairs)).median
    what = f"{len(changed)} of {machines} machines changed by hand, found and repaired"
    yield Row(what, "bare loop, 1 thread", seconds(loop), "1.00 × the loop")
    ratio = repair / loop
    yield Row(
        what,
        "onggi, warm, full resync",
        seconds(repair),
        f"{ratio:.2f} × the loop",
        f"at most {_MOST:g} ×",
        ratio <= _MOST,
    )


def _repaired(world: World, changed: list[str], repair: Callable[[], object]) -> float:
    """Change these by hand; the seconds until all of them are as before."""
    domains = [world.connection.lookupByName(name) for name in changed]
    for domain in domains:
        domain.setMemoryFlags(_OTHER_MIB << 10, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    took = timed(repair)
    for domain in domains:
        if domain.info()[2] >> 10 != names.MEMORY_MIB:
            raise RuntimeError(f"{domain.name()} wasn't repaired")
    return took


def _definitions(connection: libvirt.virConnect) -> dict[str, str]:
    found = (domain for domain in connection.listAllDomains() if domain.name().startswith(names.PREFIX))
    return {domain.name(): domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE) for domain in found}


def _loop(connection: libvirt.virConnect, wanted: Mapping[str, str]) -> None:
    for name, present in _definitions(connection).items():
        if present != wanted[name]:
            connection.defineXML(wanted[name])
