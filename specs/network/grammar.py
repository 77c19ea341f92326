"""How documents of networks stand to what libvirt's grammar knows of them."""

from __future__ import annotations

from specs.grammar import Grammar

GRAMMAR = Grammar(
    "network.rng",
    by_code={
        "name": "metadata.name",
        "uuid": "metadata.uid",
        "metadata/**": "metadata",
        "forward/@mode": "mode",
        "forward/@dev": "interface",
        "forward/interface/@dev": "interface",
        "bridge/@name": "bridge",
        "ip/@address": "gateway",
        "ip/@netmask": "subnet",
        "ip/@prefix": "subnet",
        "ip/@family": "subnet",
        "ip/dhcp/range/@start": "dhcp.start",
        "ip/dhcp/range/@end": "dhcp.end",
        "dns/forwarder/@addr": "dns.forwarders",
        "vlan/tag/@id": "vlan",
    },
    run_time=("@connections", "forward/*/@connections", "bandwidth/@classID", "portgroup/bandwidth/@classID"),
    lists={"dhcp/hosts": "ip/dhcp/host", "dns/hosts": "dns/host"},
)
