"""Which changes of a machine wait for its next boot although they could be made at once.

The annotation names a field with the value that waits, so that it ends by itself: another value is live again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from specs.codecs import bytes_of

if TYPE_CHECKING:
    from specs.virtualmachine.spec import VirtualMachineSpec

ANNOTATION: Final = "onggi/next-boot"
_MIB: Final = 1 << 20


def next_boot_fields(annotation: str, spec: VirtualMachineSpec) -> frozenset[str]:
    """The fields that wait, out of `memory=2048, cpus=2` (MiB, a count), where `spec` declares just these values."""
    pairs = (entry.strip().partition("=") for entry in annotation.split(","))
    return frozenset(field for field, _, value in pairs if value and value == waiting_value(field, spec.get(field)))


def waiting_value(field: str, declared: Any) -> str:
    """A declared value as the annotation writes it; empty for none."""
    if declared is None:
        return ""
    if field == "memory":
        size = bytes_of(declared, "MiB")
        return "" if size is None else str(size // _MIB)
    return str(declared)


def with_next_boot(annotation: str, field: str, declared: Any) -> str:
    """The annotation that lets `field` wait too; one of another value of it is replaced."""
    kept = [entry.strip() for entry in annotation.split(",") if entry.strip().partition("=")[0] not in ("", field)]
    return ", ".join([*kept, f"{field}={waiting_value(field, declared)}"])
