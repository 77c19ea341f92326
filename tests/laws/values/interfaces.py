"""Machines whose interfaces are plugged into anything that there is."""

from __future__ import annotations

from typing import Any


def _with(**interface: Any) -> dict[str, Any]:
    return {"interfaces": [interface]}


_UUIDS = ("1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c31")
_PASST: dict[str, Any] = {"passt": True, "portForward": [{"proto": "tcp", "ranges": [{"start": 80}]}]}
_HOST_NET = {"address": "10.9.0.1", "prefix": 24}
_ROUTE = {"address": "10.9.1.0", "prefix": 24, "gateway": "10.9.0.7"}
_TUNNEL = {"address": "10.0.0.1", "port": 5000}
DOCUMENTS: dict[str, tuple[dict[str, Any], ...]] = {
    "VirtualMachine": (
        _with(network="default", port={}, driver={"host": {}, "guest": {}}, rom={}, backend={}, tune={}),
        _with(network="default", bandwidth={"inbound": {"average": "8MiB"}, "outbound": {"average": "8MiB"}}),
        _with(network="default", filter={"name": "clean-traffic", "parameters": [{"name": "IP", "value": "10.0.0.1"}]}),
        _with(network="default", vlan={"tags": [{"id": 7}]}, virtualport={"type": "openvswitch"}),
        _with(network="default", vlan={"tags": [{"id": 7}]}),
        _with(network="default", virtualport={"type": "midonet", "interfaceId": _UUIDS[0]}),
        _with(network="default", virtualport={"type": "802.1Qbg"}),
        _with(network="default", virtualport={"type": "802.1Qbh"}),
        _with(network="default", teaming={"type": "persistent"}, alias="ua-lan"),
        {"interfaces": [
            {"network": "default", "teaming": {"type": "transient", "persistent": "ua-lan"}},
            {"network": "lan", "alias": "ua-lan"},
            {"network": "wan", "alias": "ua-wan"},
        ]},
        _with(direct={"dev": "eth0"}),
        _with(user={}),
        _with(user={"ips": [{"address": "10.9.0.0"}]}),
        _with(user=_PASST),
        _with(vhostUser={"path": "/run/switch/web", "mode": "client", "reconnect": {"timeout": 5}}),
        _with(vhostUser={"path": "/run/switch/web", "mode": "client"}),
        _with(hostdev={"address": "0000:03:10.1"}),
        _with(vdpa={"dev": "/dev/vhost-vdpa-0"}),
        _with(ethernet={"ips": [_HOST_NET], "routes": [_ROUTE]}, targetDev="web0"),
        _with(udp={**_TUNNEL, "localAddress": "10.0.0.2", "localPort": 5001}),
        _with(mcast={"address": "230.0.0.1", "port": 5000}),
        _with(server=_TUNNEL),
        _with(client=_TUNNEL),
    )
}  # fmt: skip
_NIC = "VirtualMachine.interfaces"
VALUES: dict[str, tuple[Any, ...]] = {
    f"{_NIC}.portgroup": ("office", "lab"),
    f"{_NIC}.mtu": (1500, 9000),
    f"{_NIC}.filter.name": ("clean-traffic", "allow-arp"),
    f"{_NIC}.filter.parameters.name": ("IP", "MAC"),
    f"{_NIC}.filter.parameters.value": ("10.0.0.1", "10.0.0.2"),
    **{
        f"{_NIC}.bandwidth.{way}.{word}": ("4MiB", "5MiB")
        for way in ("inbound", "outbound")
        for word in ("average", "peak", "burst", "floor")
        if (way, word) != ("outbound", "floor")
    },
    f"{_NIC}.virtualport.instanceId": _UUIDS,
    f"{_NIC}.virtualport.interfaceId": _UUIDS,
    f"{_NIC}.virtualport.profileId": ("gold", "silver"),
    f"{_NIC}.virtualport.type": ("openvswitch", "802.1Qbg", "802.1Qbh"),
    f"{_NIC}.targetDev": ("web0", "web1"),
    f"{_NIC}.driver.rxQueueSize": (256, 512),
    f"{_NIC}.driver.txQueueSize": (256, 512),
    f"{_NIC}.rom.file": ("/srv/rom/a", "/srv/rom/b"),
    f"{_NIC}.backend.tap": ("/srv/dev/a", "/srv/dev/b"),
    f"{_NIC}.backend.vhost": ("/srv/dev/a", "/srv/dev/b"),
    f"{_NIC}.teaming": (
        {"type": "persistent"},
        *({"type": "transient", "persistent": p} for p in ("ua-lan", "ua-wan")),
    ),
    f"{_NIC}.address": ("pci 0000:05:00.0", "pci 0000:06:00.0"),
    f"{_NIC}.alias": ("ua-lan", "ua-wan"),
    f"{_NIC}.driver.name": ("vhost", "qemu"),
    f"{_NIC}.direct.dev": ("eth0", "eth1"),
    f"{_NIC}.user.logFile": ("/srv/log/a", "/srv/log/b"),
    f"{_NIC}.user.dev": ("eth0", "eth1"),
    f"{_NIC}.user.ips.address": ("10.9.0.0", "10.9.1.0"),
    f"{_NIC}.user.ips.prefix": (24, 16),
    f"{_NIC}.user.portForward.address": ("10.0.0.1", "10.0.0.2"),
    f"{_NIC}.user.portForward.ranges.end": (81, 90),
    f"{_NIC}.user.portForward.dev": ("eth0", "eth1"),
    f"{_NIC}.vhostUser.path": ("/run/switch/web", "/run/switch/db"),
    f"{_NIC}.hostdev.address": ("0000:03:10.1", "0000:03:10.2"),
    f"{_NIC}.vdpa.dev": ("/dev/vhost-vdpa-0", "/dev/vhost-vdpa-1"),
    f"{_NIC}.ethernet.routes": (
        [{**_ROUTE, "metric": 5}],
        [{**_ROUTE, "prefix": 25, "metric": 5}],
        [{**_ROUTE, "gateway": "10.9.0.8", "metric": 6}],
        [{"address": "fd00:9::", "prefix": 64, "gateway": "fd00:8::7", "family": "ipv6"}],
    ),
    f"{_NIC}.ethernet.ips.address": ("10.9.0.1", "10.9.0.2"),
    f"{_NIC}.ethernet.ips.prefix": (24, 16),
    f"{_NIC}.ethernet.ips.peer": ("10.9.0.3", "10.9.0.4"),
    **{
        f"{_NIC}.{kind}.{word}": ("10.0.0.3", "10.0.0.4")
        for kind, words in {"udp": ("address", "localAddress"), "server": ("address",), "client": ("address",)}.items()
        for word in words
    },
    f"{_NIC}.mcast.address": ("230.0.0.1", "230.0.0.2"),
}
KNOWN_TO_QEMU = {
    f"{_NIC}.model": ["virtio", "e1000", "e1000e", "rtl8139", "vmxnet3", "ne2k_pci", "virtio-non-transitional"],
}
# libvirt as it is packaged here takes no passt.
NOT_TAKEN_HERE = (f"{_NIC}.user.passt", f"{_NIC}.user.logFile", f"{_NIC}.user.dev", f"{_NIC}.user.portForward")
