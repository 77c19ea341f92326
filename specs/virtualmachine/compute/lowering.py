"""What a document says of processors and memory in its normal form, which is what libvirt says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from specs.host import Host
from specs.problem import Unrenderable
from specs.virtualmachine.compute.modules import lower_module
from specs.virtualmachine.compute.normal import normal
from specs.virtualmachine.compute.numa import with_distances
from specs.virtualmachine.compute.schedulers import OF, grouped
from specs.virtualmachine.fields import SPEC

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine

_WITH_SETS = ("cpuTune", "numa", "numaTune", "memoryBacking", "memoryModules")


def lower_compute(lowered: LoweredVirtualMachine, host: Host) -> None:
    """Bring these fields into their normal form. Raises Unrenderable for a CPU that this host can't give."""
    spec = cast("dict[str, Any]", lowered)
    if spec.get("cpuMode") == "host-passthrough" and "qemu" in host.domain_types and "kvm" not in host.domain_types:
        raise Unrenderable(
            "This host has no KVM, and only with that a guest has the host's own CPU; enable it there, or write "
            "`cpuMode: maximum`."
        )
    for name in _WITH_SETS:
        if name in spec:
            spec[name] = normal(SPEC[name], spec[name])
    if "memoryModules" in spec:
        spec["memoryModules"] = [lower_module(module) for module in spec["memoryModules"]]
    tune = spec.get("cpuTune", {})
    for name, of in OF.items():
        if name in tune:
            tune[name] = grouped(tune[name], of)
    if "cells" in spec.get("numa", {}):
        spec["numa"]["cells"] = with_distances(spec["numa"]["cells"])
