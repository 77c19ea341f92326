"""The picture that stands for a machine or a template in clients: its own, else that of its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.images.drawn import address_of

if TYPE_CHECKING:
    from specs.template.spec import TemplateSpec
    from specs.virtualmachine.spec import VirtualMachineSpec


def icon_of(spec: VirtualMachineSpec | TemplateSpec) -> str:
    """The icon by what a document says: `icon`, or `osDistro`."""
    return str(spec.get("icon") or address_of(str(spec.get("osDistro") or "")))
