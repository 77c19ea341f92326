"""Networks of every mode, with all that may be said of each."""

from __future__ import annotations

from typing import Any

_SUBNET = "192.168.150.0/24"
_NAT: dict[str, Any] = {"mode": "nat", "subnet": _SUBNET}
_SECOND = {"address": "192.168.151.1", "prefix": 24}
_V6 = {"address": "fd00:150::1", "prefix": 64}
_UUIDS = ("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31")
_SWITCH: dict[str, Any] = {"mode": "bridge", "bridge": "br0"}
_HOST4 = {"mac": "52:54:00:00:00:01", "ip": "192.168.151.10"}
_HOST6 = {"id": "0:3:0:1:52:54:0:0:0:1", "ip": "fd00:150::10"}
_RANGE = {"start": "192.168.150.20", "end": "192.168.150.29"}
_LEASED4 = {**_HOST4, "lease": {"expiry": 2}}
_RANGE4 = {"start": "192.168.151.20", "end": "192.168.151.29"}


def _groups(**group: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {**_NAT, "portgroups": [{"name": "a", **group}]}, {**_SWITCH, "portgroups": [{"name": "a", **group}]}


_KINDS_OF_PORTS: tuple[dict[str, Any], ...] = (
    {"type": "openvswitch"},
    {"type": "midonet", "interfaceId": _UUIDS[0]},
    {"type": "802.1Qbg"},
    {"type": "802.1Qbh"},
)
_AVERAGE = {"inbound": {"average": "8MiB"}, "outbound": {"average": "8MiB"}}
DOCUMENTS: dict[str, tuple[dict[str, Any], ...]] = {
    "Network": (
        {**_NAT, "forward": {"nat": {}}, "ownBridge": {}, "port": {}},
        {**_NAT, "forward": {"nat": {"address": {"start": "192.0.2.10", "end": "192.0.2.20"}}}},
        {**_NAT, "forward": {"nat": {"port": {"start": 2000, "end": 3000}}}},
        {**_NAT, "forward": {"nat": {}}, "addresses": [_V6]},
        {**_NAT, "bandwidth": _AVERAGE},
        {**_NAT, "dhcp": {"bootp": {"file": "a"}}},
        {**_NAT, "dhcp": {"ranges": [_RANGE]}},
        {**_NAT, "dhcp": {"ranges": [{**_RANGE, "lease": {"expiry": 2}}]}},
        {**_NAT, "dhcp": {"hosts": [{"mac": "52:54:00:00:00:01", "ip": "192.168.150.10", "lease": {"expiry": 2}}]}},
        {**_NAT, "addresses": [_SECOND]},
        {**_NAT, "addresses": [{**_SECOND, "dhcp": {"ranges": [_RANGE4], "hosts": [_HOST4], "bootp": {"file": "a"}}}]},
        {**_NAT, "addresses": [{**_SECOND, "dhcp": {"ranges": [{**_RANGE4, "lease": {"expiry": 2}}]}}]},
        {**_NAT, "addresses": [{**_SECOND, "dhcp": {"ranges": [_RANGE4], "hosts": [_LEASED4]}}]},
        {**_NAT, "addresses": [{**_V6, "dhcp": {"hosts": [_HOST6]}}]},
        {**_NAT, "dns": {"srv": [{"service": "ldap", "protocol": "tcp", "target": "a.example"}]}},
        {**_NAT, "dns": {"txt": [{"name": "a", "value": "b"}], "domainForwarders": [{"domain": "a.example"}]}},
        {**_NAT, "domain": "a.example"},
        {"mode": "passthrough", "forward": {}},
        {"mode": "vepa", "forward": {}},
        {"mode": "hostdev", "forward": {}},
        {"mode": "hostdev", "forward": {"pf": "eth0"}},
        {**_SWITCH, "virtualport": {"type": "openvswitch"}, "switchVlan": {"tags": [{"id": 7}]}},
        *({**_SWITCH, "virtualport": each} for each in _KINDS_OF_PORTS),
        *_groups(bandwidth=_AVERAGE),
        *_groups(virtualport={"type": "openvswitch"}, vlan={"tags": [{"id": 7}]}),
        *(document for each in _KINDS_OF_PORTS for document in _groups(virtualport=each)),
    )
}  # fmt: skip
_RATES = ("4MiB", "5MiB")
VALUES: dict[str, tuple[Any, ...]] = {
    "Network.mode": ("nat", "isolated", "route", "open"),
    "Network.dhcp.bootp.file": ("a.0", "b.0"),
    "Network.addresses.dhcp.bootp.file": ("a.0", "b.0"),
    "Network.mtu": (1500, 9000),
    "Network.mac": ("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "Network.tftp": ("/srv/tftp/a", "/srv/tftp/b"),
    "Network.ownBridge.name": ("virbr71", "virbr72"),
    "Network.ownBridge.zone": ("dmz", "public"),
    "Network.forward.interfaces": (["eth0"], ["eth1"]),
    "Network.forward.pf": ("eth0", "eth1"),
    "Network.forward.addresses": (["0000:03:10.1"], ["0000:03:10.2"]),
    "Network.forward.nat.address.start": ("192.0.2.11", "192.0.2.12"),
    "Network.forward.nat.address.end": ("192.0.2.21", "192.0.2.22"),
    "Network.forward.nat.port.start": (2001, 2002),
    "Network.forward.nat.port.end": (3001, 3002),
    "Network.dhcp.ranges.start": ("192.168.150.21", "192.168.150.22"),
    "Network.dhcp.ranges.end": ("192.168.150.31", "192.168.150.32"),
    "Network.dhcp.bootp.server": ("192.168.150.5", "192.168.150.6"),
    "Network.addresses.address": ("192.168.152.1", "192.168.153.1"),
    "Network.addresses.prefix": (24, 25),
    "Network.addresses.tftp": ("/srv/tftp/a", "/srv/tftp/b"),
    "Network.addresses.dhcp.ranges.start": ("192.168.151.21", "192.168.151.22"),
    "Network.addresses.dhcp.ranges.end": ("192.168.151.31", "192.168.151.32"),
    "Network.addresses.dhcp.hosts.mac": ("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "Network.addresses.dhcp.hosts.id": ("0:3:0:1:52:54:0:0:0:1", "0:3:0:1:52:54:0:0:0:2"),
    "Network.addresses.dhcp.hosts.name": ("a", "b"),
    "Network.addresses.dhcp.hosts.ip": ("192.168.151.11", "192.168.151.12"),
    "Network.addresses.dhcp.bootp.server": ("192.168.150.5", "192.168.150.6"),
    "Network.routes": (
        [{"address": "10.9.0.0", "prefix": 16, "gateway": "192.168.150.2", "metric": 2}],
        [{"address": "10.9.0.0", "prefix": 17, "gateway": "192.168.150.2", "metric": 2}],
        [{"address": "10.9.0.0", "prefix": 17, "gateway": "192.168.150.3", "metric": 2}],
        [{"address": "10.9.0.0", "prefix": 17, "gateway": "192.168.150.3", "metric": 3}],
    ),
    "Network.dns.domainForwarders.domain": ("a.example", "b.example"),
    "Network.dns.domainForwarders.addr": ("192.0.2.1", "192.0.2.2"),
    "Network.dns.srv.service": ("ldap", "sip"),
    "Network.dns.srv.domain": ("a.example", "b.example"),
    "Network.dns.srv.target": ("a.example", "b.example"),
    "Network.dns.txt.name": ("a", "b"),
    "Network.dns.txt.value": ("a", "b"),
    **{
        f"Network.{holder}bandwidth.{way}.{word}": _RATES
        for holder in ("", "portgroups.")
        for way in ("inbound", "outbound")
        for word in ("average", "peak", "burst", *(("floor",) if holder and way == "inbound" else ()))
    },
    **{
        f"Network.{holder}virtualport.{word}": each
        for holder in ("", "portgroups.")
        for word, each in {
            "type": ("openvswitch", "802.1Qbg"),
            "instanceId": _UUIDS,
            "interfaceId": _UUIDS,
            "profileId": ("gold", "silver"),
        }.items()
    },
    "Network.portgroups.name": ("a", "b"),
}
