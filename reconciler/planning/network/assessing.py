"""Decides about networks, beside what is so of all that is defined and then active or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import Observed
from reconciler.planning.activation import Activation
from reconciler.planning.assessment import Assessment
from reconciler.planning.context import Context
from reconciler.planning.network.subnets import SubnetChooser
from reconciler.planning.network.uplink import over_what_is_there
from reconciler.planning.operations import DefineInterface, Operation, UpdateNetwork
from reconciler.planning.overlaid import FIELD
from reconciler.planning.ownership import Fact, Owned
from specs.binding import parse
from specs.effect import Change
from specs.network import KIND
from specs.network import KIND as NETWORKS
from specs.network.model import has_own_bridge
from specs.network.vlan import vlan_bridge_xml
from specs.plain import Spec


class Networks(Activation):
    """One that declares no subnet gets a free one; the device that it goes through has to be there."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._subnets = SubnetChooser(context)

    def assess(self, resource: Resource, observed: Observed | None) -> Assessment:
        """As of the others, over a device that is there."""
        given = self._subnets.given
        found = over_what_is_there(
            resource, observed, self.context, lambda it: super(Networks, self).assess(it, observed)
        )
        return replace(found, chosen=True) if self._subnets.given != given else found

    def new_spec(
        self, resource: Resource, gone: Observed | None, entry: Owned | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """With the subnet that it had, or a free one."""
        spec, facts = super().new_spec(resource, gone, entry)
        if _lacks_subnet(resource):
            known = NETWORKS.lowered(gone.config).get("subnet") if gone is not None else None
            facts[Fact.SUBNET] = spec["subnet"] = str(known or self._chosen(entry))
        return spec, facts

    def spec(self, resource: Resource, observed: Observed, entry: Owned | None) -> Spec:
        """With a subnet where it lost its own, and a gateway that follows its subnet."""
        spec = resource.spec
        # It was a bridge until now, or lost what was chosen for it; one that was adopted without addresses may have
        # none.
        chosen = not has_own_bridge(NETWORKS.lowered(observed.config)) or (entry is not None and entry.created)
        if _lacks_subnet(resource) and "mode" in spec and "subnet" not in NETWORKS.lowered(observed.config) and chosen:
            spec = {**spec, "subnet": self._chosen(entry)}
        if "gateway" not in spec and "subnet" in spec:
            from specs.network.addresses import gateway_after  # lxml is loaded only by who really reads XML

            if (moved := gateway_after(KIND.lowered(observed.config), spec["subnet"])) is not None:
                spec = {**spec, "gateway": moved}
        return spec

    def facts(self, resource: Resource, observed: Observed) -> dict[str, str]:
        """The subnet that was chosen for it."""
        chosen = "subnet" not in NETWORKS.declared(resource.spec)
        found = NETWORKS.lowered(observed.config).get("subnet") if chosen else None
        return {Fact.SUBNET: str(found)} if found else {}

    def prerequisites(self, resource: Resource) -> list[Operation]:
        """The bridge over a VLAN."""
        spec = resource.spec
        if "vlan" not in spec:
            return []
        return [DefineInterface(resource.ref, *vlan_bridge_xml(spec["interface"], spec["vlan"]))]

    def sections(self, resource: Resource, observed: Observed, lowered: Spec) -> list[Operation]:
        """Of the running definition."""
        if observed.live_xml is None:
            return []
        from specs.network.live import live_sections  # lxml is loaded only by who really reads XML

        return [
            UpdateNetwork(resource.ref, edit.command, edit.section, edit.xml)
            for edit in live_sections(KIND.lowered(lowered), parse(observed.live_xml), _managed(observed))
        ]

    def told(self, resource: Resource, observed: Observed, lowered: Spec, live: Iterable[Change]) -> list[Operation]:
        """By edits of what runs, as its fields are."""
        if observed.live_xml is None or not any(change.pointer.startswith(f"/{FIELD}/") for change in live):
            return []
        from specs.network.identity import TABLE
        from specs.network.overlay_live import sections

        text, root = lowered.get(FIELD), parse(observed.live_xml)
        return [UpdateNetwork(resource.ref, *edit) for edit in sections(TABLE, text, root, live)]

    def _chosen(self, entry: Owned | None) -> str:
        """The one that the network had before, as far as anybody remembers, else a free one."""
        return (entry.facts.get(Fact.SUBNET) if entry is not None else None) or self._subnets()


def _managed(observed: Observed) -> frozenset[str]:
    return observed.mark.managed if observed.mark is not None else frozenset()


def _lacks_subnet(resource: Resource) -> bool:
    network = NETWORKS.declared(resource.spec)
    return "subnet" not in network and has_own_bridge(network)
