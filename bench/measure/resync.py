"""What does looking at everything again cost when nothing has changed? In one warm process, beside the bare reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import libvirt

from bench.measure.calls import counted_calls
from bench.table import Row, seconds
from bench.timing import repeated
from bench.world import URI
from reconciler.line.line import Line
from reconciler.settings.settings import Settings

_MOST = 1.5
_WARM_UP = 2
_FEW_CALLS = 10


def measure(repository: Path, state: Path, machines: int, repeat: int) -> Iterator[Row]:
    """Expects the machines to be as the repository says."""
    settings = Settings(repository=str(repository), connect=URI, state=state)
    bare = libvirt.open(URI)
    with Line.open(settings, exclusive=True) as line:

        def full() -> None:
            plan = line.plan()
            if not plan.empty:
                raise RuntimeError(f"the plan should be empty, it begins with {plan.steps[:1]} {plan.blocked[:1]}")

        def idle() -> None:
            line.compare(line.desired(), line.observe(frozenset()))

        for _ in range(_WARM_UP):
            full()
            _read(bare)
        read = repeated(repeat, lambda: _read(bare)).median
        resync = repeated(repeat, full).median
        quiet = repeated(repeat, idle).median
        with counted_calls() as in_full:
            full()
        with counted_calls() as in_idle:
            idle()
    bare.close()
    what = f"{machines} machines, warm"
    yield Row(what, "bare reading of every definition, 1 thread", seconds(read), "1.00 × the bare reading")
    ratio = resync / read
    yield Row(
        what,
        f"full resync, empty plan ({in_full.total()} calls to libvirt)",
        seconds(resync),
        f"{ratio:.2f} × the bare reading",
        f"at most {_MOST} ×",
        ratio <= _MOST,
    )
    yield Row(
        what,
        f"pass with nothing changed ({in_idle.total()} calls to libvirt)",
        seconds(quiet),
        f"{quiet / read:.3f} × the bare reading",
        "no call per machine",
        in_idle.total() <= _FEW_CALLS,
    )


def _read(connection: libvirt.virConnect) -> int:
    size = 0
    for domain in connection.listAllDomains():
        with suppress(libvirt.libvirtError):  # somebody else's, removed since it was listed
            size += len(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    return size
