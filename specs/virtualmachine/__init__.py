"""The kind VirtualMachine: a virtual machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.reference import STORAGE_VOLUME, VIRTUAL_MACHINE
from specs.registry import TypedKind
from specs.virtualmachine.among import check_among
from specs.virtualmachine.model import check, references

if TYPE_CHECKING:
    from specs.virtualmachine.spec import LoweredVirtualMachine, VirtualMachineSpec

KIND: TypedKind[VirtualMachineSpec, LoweredVirtualMachine] = TypedKind(
    name=VIRTUAL_MACHINE,
    plural="virtualmachines",
    aliases=("vm", "vms", "machine"),
    noun="machine",
    documents="vms",
    package=__name__,
    references=references,
    check=check,
    check_among=check_among,
    has_guest=True,
    borrowed={"disks.size": (STORAGE_VOLUME, "capacity")},  # that of the volume which is made for a disk
)
