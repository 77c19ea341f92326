"""Everything that a MediatedDevice document may say."""

from __future__ import annotations

from specs.declared import IN_CODE, items, mapping, text
from specs.effect import Effect
from specs.policy import activation, policies

ABOUT = "A mediated device: a part of a GPU, a channel or a crypto card of the host that a machine can have for itself."
ABOUT_NAME = "The UUID of the device, in lower case: it has no other name, and machines and the host know it by that."

_ERROR = "It has letters, digits and _ . : / -, as the host has it; correct it."

SPEC = mapping(
    "The device. libvirt can't change one that is defined: what it is made of is said once.",
    {
        "parent": text(
            "The device that it is a part of, by its name in libvirt, such as pci_0000_06_00_0 or css_0_0_0024.",
            "^[A-Za-z0-9_.:-]{1,128}$",
            error=_ERROR,
            examples=("pci_0000_06_00_0",),
            effect=Effect.FORBIDDEN,
            at="parent",
        ),
        "type": text(
            "Which of the types that the parent offers, such as nvidia-11 or vfio_ccw-io.",
            "^[A-Za-z0-9_.:-]{1,128}$",
            error=_ERROR,
            examples=("nvidia-11",),
            effect=Effect.FORBIDDEN,
            at="capability/type/@id",
        ),
        "attributes": items(
            "What is written into its attributes when it is started, in this order. Default: nothing.",
            mapping(
                "One attribute.",
                {
                    "name": text("Its name.", "^[A-Za-z0-9_./-]{1,128}$", error=_ERROR),
                    "value": text("Its value.", r"^[^\x00-\x1f]{0,255}$", error="It is one line of text; correct it."),
                },
                required=("name", "value"),
            ),
            effect=Effect.FORBIDDEN,
            at=IN_CODE,
        ),
        **activation("device"),
        **policies("What happens to the device when the document is removed: it goes. Default: Retain."),
    },
    required=("parent", "type"),
)
