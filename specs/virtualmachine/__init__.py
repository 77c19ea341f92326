"""The kind VirtualMachine: a virtual machine."""

from specs.reference import VIRTUAL_MACHINE
from specs.registry import Kind
from specs.virtualmachine.model import check, references

KIND = Kind(
    name=VIRTUAL_MACHINE,
    plural="virtualmachines",
    aliases=("vm", "vms", "machine"),
    package=__name__,
    references=references,
    check=check,
)
