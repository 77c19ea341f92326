"""How a machine boots, its room to grow, and how its processors are arranged, in Kimchi's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.http.schema import Schema, arr, boolean, integer, obj
from api.vms.processors import TOPOLOGY
from reconciler.observed.snapshot import Observed
from specs.binding import parse
from specs.plain import NewJson
from specs.virtualmachine import KIND as MACHINES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import CpuTopology

BOOT_KINDS: Final = ("hd", "cdrom", "network", "fd")

HARDWARE: Final[dict[str, Schema]] = {
    "max_memory": integer("MiB that it could have without another start.", minimum=0),
    "cpu_info": obj(
        {
            "vcpus": integer("The same as `cpus`.", minimum=0),
            "maxvcpus": integer("Processors that it could have without another start.", minimum=0),
            "topology": obj(TOPOLOGY, description="How they are arranged; empty when that is left to the host."),
        },
        required=("vcpus", "maxvcpus", "topology"),
    ),
    "bootorder": arr({"enum": list(BOOT_KINDS)}, description="The kinds of devices that it boots from, in order."),
    "bootmenu": boolean("Whether its firmware asks what to boot from."),
}


def hardware(observed: Observed) -> NewJson:
    """Sizes as they are now; how it boots as of its next start."""
    spec, config = MACHINES.lowered(observed.live or observed.config), MACHINES.lowered(observed.config)
    cpus = int(spec.get("cpus") or 0)
    return {
        "max_memory": int(spec.get("maximumMemory") or spec.get("memory") or 0),
        "cpu_info": {
            "vcpus": cpus,
            "maxvcpus": int(spec.get("maximumCpus") or cpus),
            "topology": _topology(spec.get("cpuTopology")),
        },
        "bootorder": list(config.get("bootDevices") or _boot_kinds(observed.xml)),
        "bootmenu": bool(config.get("bootMenu")),
    }


def _topology(found: CpuTopology | None) -> dict[str, object]:
    return {name: found.get(name) for name in TOPOLOGY} if found else {}


def _boot_kinds(xml: str) -> list[str]:
    from specs.virtualmachine.platform.boot import boot_kinds

    return boot_kinds(parse(xml))
