"""What else clients may change of a machine's make: how it boots, its room to grow, how its processors are arranged.

Written into its document, pure. All of it waits for the next boot of one that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from api.http.refusal import bad
from api.http.schema import Schema, arr, boolean, integer, obj
from api.vms.hardware_view import BOOT_KINDS
from api.vms.memory import with_plain_memory
from api.vms.processors import TOPOLOGY
from specs.codecs import bytes_of
from specs.plain import NewSpec
from specs.virtualmachine import KIND as MACHINES

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

Body = Mapping[str, Any]

_MOST_CPUS: Final = 4096
_MOST_MIB: Final = 1 << 24
_PLACED: Final = ("disks", "cdroms", "interfaces")  # the lists of a document whose items can have a place of their own

CHANGES: Final[dict[str, Schema]] = {
    "bootorder": arr(
        {"enum": list(BOOT_KINDS)}, minItems=1, uniqueItems=True, x_code="KCHVM0052E",
        description="The kinds of devices that it boots from, in order, instead of any single devices' places.",
    ),
    "bootmenu": boolean("Whether its firmware asks what to boot from.", x_code="KCHVM0053E"),
    "max_memory": integer(
        "MiB that it could have while it runs.", minimum=16, maximum=_MOST_MIB, x_code="KCHTMPL0013E",
    ),
    "cpu_info": obj(
        {
            "vcpus": integer("Processors: the same as `cpus`.", minimum=1, maximum=_MOST_CPUS, x_code="KCHTMPL0012E"),
            "maxvcpus": integer("Processors that it could have while it runs.", minimum=1, maximum=_MOST_CPUS),
            "topology": obj(
                {name: {**each, "maximum": _MOST_CPUS} for name, each in TOPOLOGY.items()}, required=tuple(TOPOLOGY),
                description="Makes `maxvcpus` processors; without that it is what they make.", x_code="KCHTMPL0026E",
            ),
        },
        x_code="KCHCPUINF0008E",
    ),
}  # fmt: skip


def sizes_of(body: Body) -> Body:
    """The request with its processors as `cpus` and its memory as numbers, however it says them. Raises Refusal 400."""
    body = with_plain_memory(body)
    wanted = (body.get("cpu_info") or {}).get("vcpus")
    if wanted is None:
        return body
    if body.get("cpus", wanted) != wanted:
        raise bad("KCHTMPL0012E", "`cpus` and `cpu_info/vcpus` are one number; give it once.")
    return {**body, "cpus": wanted}


def change_hardware(spec: NewSpec, body: Body) -> None:
    """After its sizes were changed. Raises Refusal 400 for what doesn't go with them."""
    machine = MACHINES.declared(spec)
    if "bootorder" in body:
        _go_by_kinds(spec, body["bootorder"])
    if "bootmenu" in body:
        machine["bootMenu"] = body["bootmenu"]
    if "max_memory" in body:
        if (bytes_of(machine.get("memory", 0), "MiB") or 0) > body["max_memory"] << 20:
            raise bad("KCHTMPL0031E", "`max_memory` can't be less than the machine's memory; lower that too.")
        machine["maximumMemory"] = body["max_memory"]
    if "cpu_info" in body:
        _arrange(machine, body["cpu_info"])


def _go_by_kinds(spec: NewSpec, kinds: list[str]) -> None:
    for name in _PLACED:
        if any("bootOrder" in item for item in spec.get(name, ())):
            spec[name] = [{key: value for key, value in item.items() if key != "bootOrder"} for item in spec[name]]
    spec["bootDevices"] = list(kinds)


def _arrange(spec: VirtualMachineSpec, given: Body) -> None:
    topology = given.get("topology")
    most = given.get("maxvcpus")
    if topology is not None:
        made = topology["sockets"] * topology["cores"] * topology["threads"]
        if made != (made if most is None else most):
            raise bad("KCHCPUINF0002E", f"The topology makes {made} processors; `maxvcpus` has to be the same.")
        spec["cpuTopology"] = {
            "sockets": topology["sockets"],
            "cores": topology["cores"],
            "threads": topology["threads"],
        }
        most = made
    if most is None:
        return
    if spec.get("cpus", 1) > most:
        raise bad("KCHCPUINF0001E", f"A machine with {spec['cpus']} processors can't have {most} at most.")
    if most != spec.get("cpus", 1) or "maximumCpus" in spec:
        spec["maximumCpus"] = most
