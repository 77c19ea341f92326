"""What libvirt or QEMU never takes of a machine's interfaces: judged from the document alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from specs import canonical
from specs.port_rules import Broken, check_bandwidth, check_vlan
from specs.virtualmachine.interfaces.fields import VIRTIO_MODELS
from specs.virtualmachine.interfaces.names import connection

if TYPE_CHECKING:
    from specs.virtualmachine.spec import Interface

# What libvirt does for some connections only; elsewhere it refuses it, or passes it over without a word.
_ONLY_BESIDE: Final = {
    "filter": ("network", "bridge", "ethernet"),
    "bandwidth": ("network", "bridge", "direct", "ethernet"),
    "mtu": ("network", "bridge", "ethernet", "vhostUser"),
    "port": ("network", "bridge"),
    "coalesce": ("network", "bridge", "ethernet"),
    "virtualport": ("network", "bridge", "direct", "hostdev"),
    "vlan": ("network", "bridge", "hostdev", "direct"),
    "backend": ("network", "bridge", "direct", "ethernet"),
    "tune": ("network", "bridge", "direct", "ethernet"),
}
_PORTS_OF_A_CARD: Final = ("802.1Qbg", "802.1Qbh")


def check_interfaces(interfaces: Sequence[Interface]) -> Iterator[Broken]:
    """All of them. Relies on the shape that the schema asks for."""
    yield from _check_once(interfaces)
    aliases = {item["alias"] for item in interfaces if "alias" in item}
    for index, item in enumerate(interfaces):
        place = f"/interfaces/{index}"
        yield from _check_beside(place, item)
        if "bandwidth" in item:
            yield from check_bandwidth(f"{place}/bandwidth", item["bandwidth"], floor="network" in item)
        if "vlan" in item:
            yield from check_vlan(f"{place}/vlan", item["vlan"])
        yield from _check_driver(place, item)
        yield from _check_user(place, item)
        rom = item.get("rom", {})
        if rom.get("enabled") is False and len(rom) > 1:
            yield f"{place}/rom/enabled", "A card without a ROM has none to be tuned; remove this, or `bar` and `file`."
        partner = item.get("teaming", {}).get("persistent")
        if partner is not None and partner not in aliases:
            yield (
                f"{place}/teaming/persistent",
                f"No interface of this machine has the `alias` {partner}; give it to the one that stays.",
            )


def _check_once(interfaces: Sequence[Interface]) -> Iterator[Broken]:
    taken: dict[tuple[str, object], int] = {}
    for index, item in enumerate(interfaces):
        said = {
            "mac": canonical.mac(item["mac"]) if "mac" in item else None,
            "alias": item.get("alias"),
            "acpiIndex": item.get("acpiIndex"),
            "targetDev": item.get("targetDev"),
        }
        for key, value in said.items():
            if value is not None and (first := taken.setdefault((key, value), index)) != index:
                what = "MAC address" if key == "mac" else f"`{key}`"
                yield (
                    f"/interfaces/{index}/{key}",
                    f"Item {first + 1} of `interfaces` has this {what} already; give each its own.",
                )


def _check_beside(place: str, item: Interface) -> Iterator[Broken]:
    plugged = connection(item)
    for name, where in _ONLY_BESIDE.items():
        if name in item and plugged not in where:
            words = ", ".join(f"`{each}`" for each in where)
            yield (
                f"{place}/{name}",
                f"libvirt knows no `{name}` of an interface on `{plugged}`, only on {words}; remove it.",
            )
    switch = item.get("virtualport", {}).get("type")
    if switch in _PORTS_OF_A_CARD and plugged == "bridge":
        yield (
            f"{place}/virtualport/type",
            f"{switch} is spoken by a card, not by a bridge; write `direct` or `hostdev`.",
        )
    if switch in ("openvswitch", "midonet") and plugged in ("direct", "hostdev"):
        yield f"{place}/virtualport/type", f"A port of {switch} is on a bridge; write `bridge` instead of `{plugged}`."
    if switch == "openvswitch" and item.get("port", {}).get("isolated"):
        yield f"{place}/port/isolated", "Open vSwitch isolates no ports so; remove this, or keep them apart by VLANs."
    if plugged == "ethernet" and item["ethernet"].get("managed") is False and "targetDev" not in item:
        yield f"{place}/ethernet/managed", "A tap that is there already is known by its name; write it as `targetDev`."


def _check_driver(place: str, item: Interface) -> Iterator[Broken]:
    driver = item.get("driver", {})
    name, plugged = driver.get("name"), connection(item)
    if (name == "vfio") != (plugged == "hostdev") and name is not None:
        wanted = "remove it" if name == "vfio" else "write `vfio`, or remove it"
        yield f"{place}/driver/name", f"`{name}` doesn't move the packets of `{plugged}`; {wanted}."
    others = [key for key in driver if key != "name"]
    if plugged == "hostdev" and others:
        yield f"{place}/driver/{others[0]}", "The card is the host's own and has no such setting; remove it."
    elif driver and item.get("model", "virtio") not in VIRTIO_MODELS:
        yield (
            f"{place}/driver",
            "Only a card of the model virtio has a driver with settings; remove it, or the `model`.",
        )
    if plugged == "user" and name == "vhost":
        yield f"{place}/driver/name", "vhost moves packets of taps; write `qemu`, or remove it."


def _check_user(place: str, item: Interface) -> Iterator[Broken]:
    user = item.get("user", {})
    if not user.get("passt"):
        for key in ("logFile", "dev", "portForward"):
            if key in user:
                yield f"{place}/user/{key}", f"Only passt has `{key}`; write `passt: true`, or remove it."
    versions: set[bool] = set()
    for index, ip in enumerate(user.get("ips", ())):
        if (version := ":" in ip["address"]) in versions:
            yield f"{place}/user/ips/{index}", "The guest gets one address of each version of IP so; remove this one."
        versions.add(version)
    for index, forwarded in enumerate(user.get("portForward", ())):
        for position, ports in enumerate(forwarded.get("ranges", ())):
            if ports.get("end", ports["start"]) < ports["start"]:
                yield (
                    f"{place}/user/portForward/{index}/ranges/{position}/end",
                    "The range ends before it starts; exchange `start` and `end`.",
                )
