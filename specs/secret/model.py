"""The shape of a Secret's spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specs.reference import Ref
    from specs.secret.spec import SecretSpec


def references(_name: str, _spec: SecretSpec) -> Iterable[Ref]:
    """A secret needs nothing that has a document."""
    return ()


def check(name: str, spec: SecretSpec) -> Iterator[tuple[str, str]]:
    """The rules that hold between fields. Relies on the shape that the schema asks for."""
    if "]" in name:
        yield "", "A secret's name can't have a `]`; choose another."
    if "encoding" in spec and "valueFrom" not in spec:
        yield "/encoding", "Without `valueFrom` nothing is decoded; remove `encoding`, or say where the value is kept."
    usage = spec.get("usage", {})
    if usage.get("type") == "iscsi" and usage.get("id", name).startswith("onggi-"):
        yield "/usage/id", "What begins with onggi- is for the passwords of pools; choose another id."
    if usage.get("type") == "volume" and not usage.get("id", name).startswith("/"):
        yield "/usage/id", "A secret of a volume is for its path, such as /var/lib/libvirt/images/web.img; add it."
