"""How many processors a machine of this host can have: more is refused before anything is committed."""

from __future__ import annotations

from functools import lru_cache

from api.http.refusal import bad
from reconciler.serving.serving import Serving
from specs.binding import parse


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
