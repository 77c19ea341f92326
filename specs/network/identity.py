"""How the parts of a `<network>` are told apart, so that a document's XML finds its places: see `specs/overlay`."""

from __future__ import annotations

from specs.network.overlay_live import PLUGGED
from specs.overlay.tables import LISTED, Siblings, Table, named, reaches

_PORT = {"vlan/tag": named("@id"), "virtualport": Siblings()}

TABLE = Table(
    "Network",
    "network",
    {
        "dns/forwarder": named(("@domain", "@addr"), "@domain", "@addr"),
        "dns/host": named("@ip"),
        "dns/host/hostname": named("."),
        "dns/srv": named(
            ("@service", "@protocol", "@domain", "@target"),
            ("@service", "@protocol", "@target"),
            ("@service", "@protocol"),
        ),
        "dns/txt": named("@name"),
        "forward/interface": named("@dev"),
        "forward/pf": named("@dev"),
        "forward/address": LISTED,
        "forward/nat/address": named(("@start", "@end")),
        "forward/nat/port": named(("@start", "@end")),
        "ip": named("@address"),
        "ip/dhcp/range": named(("@start", "@end")),
        "ip/dhcp/host": named("@mac", "@id", "@name", "@ip"),
        "metadata/*": named(),
        "portgroup": named("@name"),
        "route": named(("@address", "@prefix"), ("@address", "@netmask"), "@address"),
        "dnsmasq:options/dnsmasq:option": named("@value"),
        **_PORT,
        **{f"portgroup/{tag}": how for tag, how in _PORT.items()},
    },
    namespaces={"dnsmasq": "http://libvirt.org/schemas/network/dnsmasq/1.0"},
    never={
        "name": "the document's `metadata.name` says how it is called; remove it",
        "uuid": "the document's `metadata.uid` says which one it is; remove it",
    },
    unread=("metadata", "title", "description"),
    harmless=("dns", "domain", "ip", "mtu", "mac", "bandwidth", "portgroup", "@ipv6", "@trustGuestRxFilters"),
    reaching={
        "@trustGuestRxFilters": reaches("network", "no"),
        "bridge": reaches("network"),
        "bridge/@stp": reaches("network", "on", "off"),
        "bridge/@delay": reaches("network", "0", "2"),
        "forward": reaches("network"),
        "forward/@mode": reaches("network", "nat", "none"),
        "forward/nat": reaches("network"),
        "forward/pf": reaches("devices"),
        "forward/address": reaches("devices"),
        "forward/driver": reaches("devices"),
        "route": reaches("network"),  # the host's own table
        "ip/tftp": reaches("files"),
        "ip/dhcp/bootp": reaches("files"),
        "ip/@localPtr": reaches("network", "yes", "no"),
        "dns/forwarder": reaches("network"),
        "virtualport": reaches("network"),
        "vlan": reaches("network"),
        "portgroup/virtualport": reaches("network"),
        "portgroup/vlan": reaches("network"),
    },
    plugged=PLUGGED,
    varies=("bridge/@name", "mac"),
)  # fmt: skip
