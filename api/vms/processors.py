"""A machine's processors: how they are arranged, and how many this host allows. More is refused before a commit."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from api.http.refusal import bad
from api.http.schema import integer
from reconciler.serving.serving import Serving
from specs.binding import parse

if TYPE_CHECKING:
    from specs.virtualmachine.spec import CpuTopology

TOPOLOGY: Final = {
    "sockets": integer("The number of sockets.", minimum=1),
    "cores": integer("The number of cores per socket.", minimum=1),
    "threads": integer("The number of threads per core.", minimum=1),
}


def cpus_of(topology: CpuTopology) -> int:
    """How many virtual CPUs such a topology has."""
    return topology["sockets"] * topology["cores"] * topology["threads"]


def check_processors(serving: Serving, wanted: int) -> None:
    """Raises Refusal 400 for more than any of the hypervisor's machine types takes. What isn't known isn't refused."""
    most = most_processors(serving.hypervisor.abilities().capabilities)
    if most is not None and wanted > most:
        raise bad("KCHCPUINF0001E", f"Machines of this host have at most {most} processors; ask for fewer.")


@lru_cache(maxsize=4)
def most_processors(capabilities: str) -> int | None:
    """By libvirt's capabilities of a host: the most of any machine type of its own architecture."""
    if not capabilities:
        return None
    root = parse(capabilities)
    own = root.findtext("host/cpu/arch") or ""
    counts = [
        int(machine.get("maxCpus") or 0)
        for arch in root.iterfind("guest/arch")
        if arch.get("name") == own
        for machine in arch.iter("machine")
    ]
    return max(counts, default=0) or None
