"""The host's devices as values, and the questions about a list of them: of which sort, fit for a guest, tied together.

Pure. Where the list comes from is for `hypervisor.host.devices`, who holds a device for `device_holders`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from reconciler.errors import NotFound
from specs.plain import Json, NewJson

# What `of_kind` takes, beside any other of libvirt's names of capabilities.
KINDS = ("fc_host", "net", "pci", "scsi", "scsi_host", "storage", "system", "usb", "usb_device")

_BRIDGES, _MEMORY = 0x06, 0x05  # the first byte of a PCI class
_IOMMU = 0x0806  # the first two
_GRAPHICS_3D = 0x0302
_USB_HUB = 9


@dataclass(frozen=True, slots=True)
class HostDevice:
    """One device by libvirt's name. `kind` is libvirt's capability (pci, usb_device, ...), `capabilities` holds that
    and those inside it (fc_host, vport_ops, ...). `fields` are its further facts by the API's names: numbers as
    integers, `vendor` and `product` as {id, description}, `adapter`, `iommuGroup`, ...
    """

    name: str
    kind: str
    parent: str | None = None
    path: str = ""  # in sysfs
    capabilities: frozenset[str] = frozenset()
    fields: Json = field(default_factory=dict)
    pci_class: int | None = None  # 0xCCSSPP: class, subclass, programming interface

    @property
    def vga3d(self) -> bool:
        """Whether it is a card that draws in three dimensions for guests: a display controller of PCI's 3D kind."""
        return self.pci_class is not None and self.pci_class >> 8 == _GRAPHICS_3D

    @property
    def iommu_group(self) -> int | None:
        """The number of its own group; a device below it, as a NIC, has none itself."""
        group = self.fields.get("iommuGroup")
        return group if isinstance(group, int) else None

    def told(self) -> NewJson:
        """Everything by the API's names; `path` only where it has one."""
        told: NewJson = {"name": self.name, "device_type": self.kind, "parent": self.parent}
        if self.path:
            told["path"] = self.path
        return told | {key: value for key, value in self.fields.items() if key not in told}


@dataclass(frozen=True, eq=False)
class HostDevices:
    """All devices by name. `skipped` has a sentence for each that couldn't be read, and for a host that has none to
    tell of.
    """

    devices: tuple[HostDevice, ...] = ()
    skipped: tuple[str, ...] = ()

    def get(self, name: str) -> HostDevice | None:
        """The device of this name."""
        return self._by_name.get(name)

    def of_kind(self, kind: str) -> tuple[HostDevice, ...]:
        """Those with this capability, such as one of KINDS."""
        return tuple(each for each in self.devices if kind in each.capabilities)

    def eligible(self) -> tuple[HostDevice, ...]:
        """Those that a guest can be given: SCSI devices, USB devices apart from hubs, PCI devices apart from what
        holds the machine together.
        """
        return tuple(each for each in self.devices if self.is_eligible(each))

    def is_eligible(self, device: HostDevice) -> bool:
        """Whether a guest can be given this one of them."""
        if device.kind == "usb_device":
            return device.name not in self._hubs
        if device.kind == "pci":
            return device.pci_class is not None and not _holds_together(device.pci_class)
        return device.kind == "scsi"

    def affected_by(self, name: str) -> tuple[HostDevice, ...]:
        """What else goes to a guest with the device `name`: the others of its IOMMU group with everything below them;
        on a host without IOMMU, what is below it. Raises NotFound.
        """
        device = self.get(name)
        if device is None:
            raise NotFound(f"The host has no device {name!r}; see the list of its devices.")
        group = self._group_of(device)
        if group is not None:
            tied = [each for each in self.devices if each.name != name and self._group_of(each) == group]
        else:
            tied = [each for each in self.devices if any(up.name == name for up in self._above(each))]
        return tuple(tied)

    def _group_of(self, device: HostDevice) -> int | None:
        for each in (device, *self._above(device)):
            if each.iommu_group is not None:
                return each.iommu_group
        return None

    def _above(self, device: HostDevice) -> Iterator[HostDevice]:
        """Its parent, and so on up; a parent that isn't listed, or that is its own child, ends it."""
        seen = {device.name}
        while device.parent is not None and device.parent not in seen:
            parent = self.get(device.parent)
            if parent is None:
                return
            seen.add(parent.name)
            yield parent
            device = parent

    @cached_property
    def _by_name(self) -> Mapping[str, HostDevice]:
        return MappingProxyType({each.name: each for each in self.devices})

    @cached_property
    def _hubs(self) -> frozenset[str]:
        """A USB device doesn't say what it is; its interfaces, which are devices below it, do."""
        return frozenset(
            each.parent for each in self.devices if each.parent and each.kind == "usb" and _class(each) == _USB_HUB
        )


def listing(devices: Iterable[HostDevice], skipped: Iterable[str] = ()) -> HostDevices:
    """The devices in order of their names."""
    return HostDevices(tuple(sorted(devices, key=lambda each: each.name)), tuple(skipped))


def _class(device: HostDevice) -> Any:
    return device.fields.get("class")


def _holds_together(pci_class: int) -> bool:
    return pci_class >> 16 in (_BRIDGES, _MEMORY) or pci_class >> 8 == _IOMMU
