"""What is so of networks, and what planning asks of them."""

from __future__ import annotations

from reconciler.desired.state import Resource
from reconciler.observed.snapshot import BRIDGE
from reconciler.planning.context import Context
from reconciler.planning.network.assessing import Networks
from reconciler.planning.rules import Assessor, Rules
from specs.binding import Element
from specs.reference import NETWORK


class NetworkRules(Rules):
    """Of networks."""

    kind = NETWORK
    root = "network"
    by_name = True
    cuts_off = True

    def revived(self, root: Element, resource: Resource, context: Context) -> str:
        """A bridge's name that another network has got meanwhile is libvirt's to choose anew."""
        bridge = root.find("bridge")
        objects = context.snapshot.objects.items()
        taken = {str(seen.details.get(BRIDGE)) for ref, seen in objects if ref.kind == NETWORK}
        if bridge is not None and bridge.get("name") in taken:
            del bridge.attrib["name"]
        return "inactive"

    def assessor(self, context: Context) -> Assessor:
        """With subnets to hand out."""
        return Networks(context)

    def beside(self, resource: Resource, context: Context) -> tuple[object, ...]:
        """The host's interfaces, and who is cut off from it."""
        return context.host.interfaces, context.disconnected.get(resource.ref)


RULES = NetworkRules()
