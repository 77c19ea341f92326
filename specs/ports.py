"""What the ports of a network are told, the same for a machine's interface, a network and a network's group of ports:
how they join a switch, which VLANs they carry, and how much may pass them.

Each is a mapping whose paths begin at the element that has it.
"""

from __future__ import annotations

from typing import Final

from specs.declared import Declared, has, is_one, items, mapping, never, number, text, where, word, yes_no
from specs.effect import Effect
from specs.notations import SIZE, UUID

MAY_HAVE_FLOOR: Final = "network"  # only there libvirt keeps something free for one of several


def bandwidth(about: str, effect: Effect, *, floor: bool = False) -> Declared:
    """How much may pass a port; with `floor` also how much is kept free for it."""
    more = (
        {
            "floor": _rate(
                "inbound",
                "floor",
                "What it gets per second in any case, out of its network's own `bandwidth`. Default: nothing is kept.",
                effect,
            )
        }
        if floor
        else {}
    )
    return mapping(
        about,
        {
            "inbound": mapping("Of what comes to it. Default: no limit.", {**_limits("inbound", effect), **more}),
            "outbound": mapping("Of what it sends. Default: no limit.", _limits("outbound", effect)),
        },
    )


def _limits(direction: str, effect: Effect) -> dict[str, Declared]:
    return {
        "average": _rate(
            direction,
            "average",
            "How much passes per second in the long run, such as 10MiB. Default: no limit.",
            effect,
        ),
        "peak": _rate(
            direction,
            "peak",
            "How much passes per second at most, while there is a `burst` left. Default: no limit.",
            effect,
        ),
        "burst": _rate(
            direction,
            "burst",
            "How much may pass at the speed of `peak` at once. Default: as the kernel has it.",
            effect,
        ),
    }


def _rate(direction: str, word: str, about: str, effect: Effect) -> Declared:
    return SIZE.but(about, effect=effect, at=f"bandwidth/{direction}/@{word}", codec="KiB", examples=("10MiB",))


def vlan(about: str, effect: Effect) -> Declared:
    """The VLAN tags that a port carries."""
    return mapping(
        about,
        {
            "trunk": yes_no(
                "Whether the guest itself sees the tags; several tags always are a trunk. Default: false.",
                effect=effect,
                at="vlan/@trunk",
                absent=False,
            ),
            "tags": items(
                "The tags, one or, on a trunk, several. Default: none.",
                mapping(
                    "One tag.",
                    {
                        "id": number("Its number.", 0, 4095, effect=effect, at="@id"),
                        "nativeMode": word(
                            "That it is the trunk's own VLAN, and whether frames of it bear the tag. Default: no.",
                            "tagged",
                            "untagged",
                            effect=effect,
                            at="@nativeMode",
                        ),
                    },
                    required=("id",),
                ),
                identity=("id",),
                least=1,
                effect=effect,
                at="vlan/tag",
            ),
        },
    )


_OF_TYPES: Final = {
    "802.1Qbg": ("managerId", "typeId", "typeIdVersion", "instanceId"),
    "802.1Qbh": ("profileId",),
    "openvswitch": ("profileId", "interfaceId"),
    "midonet": ("interfaceId",),
}
_PARAMETERS: Final = tuple(dict.fromkeys(name for names in _OF_TYPES.values() for name in names))


def virtual_port(about: str, effect: Effect) -> Declared:
    """How a port joins a switch that wants to know who joins."""
    return mapping(
        about,
        {
            "type": word(
                "Which protocol the switch speaks. Default: that of the network or of its group of ports.",
                *_OF_TYPES,
                effect=effect,
                at="virtualport/@type",
                takes_along=("virtualport/parameters",),
            ),
            "managerId": number(
                "802.1Qbg: the database of the types. Default: none.", 0, 255, effect=effect, at=_parameter("managerid")
            ),
            "typeId": number(
                "802.1Qbg: the type of the port in it. Default: none.",
                0,
                0xFFFFFF,
                effect=effect,
                at=_parameter("typeid"),
            ),
            "typeIdVersion": number(
                "802.1Qbg: the version of that type. Default: none.",
                0,
                255,
                effect=effect,
                at=_parameter("typeidversion"),
            ),
            "instanceId": UUID.but(
                "802.1Qbg: which port it is. Default: libvirt makes one up.", effect=effect, at=_parameter("instanceid")
            ),
            "profileId": text(
                "802.1Qbh and openvswitch: the name of the port's profile. Default: none.",
                "^[^\\u0000-\\u001f\\u007f]{1,39}$",
                effect=effect,
                at=_parameter("profileid"),
                error="A profile's name has 1 to 39 characters; correct it.",
            ),
            "interfaceId": UUID.but(
                "openvswitch and midonet: which port it is. Default: libvirt makes one up for openvswitch.",
                effect=effect,
                at=_parameter("interfaceid"),
            ),
        },
        rules=(
            *(
                where(is_one("type", kind), {"allOf": [_no(name, kind) for name in _PARAMETERS if name not in names]})
                for kind, names in _OF_TYPES.items()
            ),
            where(
                is_one("type", "midonet"),
                {**has("interfaceId"), "errorMessage": "A port of midonet is known by its `interfaceId`; write it."},
            ),
        ),
    )


def _parameter(name: str) -> str:
    return f"virtualport/parameters/@{name}"


def _no(name: str, kind: str) -> dict[str, object]:
    return dict(never(has(name), f"`{name}` isn't of {kind}; remove it, or choose another `type`."))
