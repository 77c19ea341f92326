"""The rules between the fields of controllers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_OF_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("pci", "usb", "scsi", "ide", "virtio-serial"),
    "driver": ("scsi", "virtio-serial"),
    "ports": ("usb", "virtio-serial"),
    "vectors": ("virtio-serial",),
    "master": ("usb",),
    "implementation": ("pci",),
    "target": ("pci",),
    "pcihole64": ("pci",),
}
_PORTS: Final = ("pcie-root-port", "pcie-switch-downstream-port")
_EXPANDERS: Final = ("pci-expander-bus", "pcie-expander-bus")
_OF_MODELS: Final[Mapping[str, tuple[str, ...]]] = {  # of pci controllers, what is in `target`
    "chassisNr": ("pci-bridge",),
    "chassis": _PORTS,
    "port": _PORTS,
    "hotplug": _PORTS,
    "busNr": _EXPANDERS,
    "node": (*_EXPANDERS, "pci-root"),
    "index": ("pci-root",),
}


def check_controllers(controllers: Sequence[Any]) -> Iterator[Broken]:
    """Each has what its type has, and is there once; of usb one and its companions share a number."""
    seen: dict[tuple[str, int], int] = {}
    for index, each in enumerate(controllers):
        kind, number = each["type"], each["index"]
        for pointer, sentence in _check(each, kind):
            yield f"/controllers/{index}{pointer}", sentence
        if kind != "usb" and (first := seen.setdefault((kind, number), index)) != index:
            sentence = f"Item {first + 1} of `controllers` is the {kind} controller {number} already; choose another."
            yield f"/controllers/{index}/index", sentence


def _check(controller: Any, kind: str) -> Iterator[Broken]:
    for name, kinds in _OF_TYPES.items():
        if name in controller and kind not in kinds:
            yield f"/{name}", f"No {kind} controller has this, one of {' or '.join(kinds)} has; remove it."
    model = controller.get("model", "")
    if model == "pcie-root" and "implementation" in controller:
        yield "/implementation", "The root is the machine's own; remove this."
    if "master" in controller and model and "uhci" not in model:
        yield "/master", f"{model} is nobody's companion, ich9-uhci1 is; remove this."
    for name, models in _OF_MODELS.items():
        if kind == "pci" and model and name in controller.get("target", {}) and model not in models:
            yield f"/target/{name}", f"No {model} has this, a {' or '.join(models)} has; remove it."
