"""A network becomes another kind of network, and what only the old kind could have goes along."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import libvirt
import pytest

from specs.binding import parse, serialise, set_text_at
from specs.host import Feature, Host
from specs.network import KIND
from tests.lab.libvirtd import HostObjects
from tests.specs.network.test_laws import defined
from tests.specs.rendering import drift, lowered, patch

CORPUS = Path(__file__).parents[2] / "corpus"
HOST = Host(features=frozenset(Feature))
# As other tools write them, and with what libvirt takes only beside some ways to forward.
SWITCH = """<network><name>x</name><forward mode='bridge'/><bridge name='ovsbr0'/><virtualport type='openvswitch'/>
  <portgroup name='web' default='yes'><vlan><tag id='5'/></vlan><bandwidth><inbound average='1000'/></bandwidth>
  </portgroup><portgroup name='all'><vlan trunk='yes'><tag id='1'/><tag id='2'/></vlan></portgroup></network>"""
ROUTED = """<network><name>x</name><forward mode='route' dev='eth0'/><bridge name='virbr77' zone='public' stp='on'/>
  <mtu size='9000'/><bandwidth><inbound average='1000'/></bandwidth><dns><txt name='a' value='b'/></dns>
  <ip address='10.213.7.254' prefix='24'><tftp root='/srv/tftp'/><dhcp><range start='10.213.7.2' end='10.213.7.9'/>
  <bootp file='pxelinux.0' server='10.213.7.254'/></dhcp></ip>
  <route address='10.9.0.0' prefix='24' gateway='10.213.7.5'/></network>"""
TEXTS = {
    **{
        file.stem: file.read_text()
        for file in sorted(CORPUS.glob("network/*.xml"))
        if file.stem != "hostdev-pool"  # needs a card that most machines lack
    },
    "switch": SWITCH,
    "routed": ROUTED,
}
SUBNET = {"subnet": "10.213.9.0/24"}
CHANGES: tuple[dict[str, Any], ...] = (
    {"mode": "nat", **SUBNET},
    {"mode": "isolated", **SUBNET},
    {"mode": "bridge", "bridge": "br0"},
    {"mode": "bridge", "interface": "eth7"},
    {"mode": "nat", **SUBNET, "gateway": "10.213.9.254"},
    {"mode": "nat", **SUBNET, "dhcp": {"enabled": False}, "dns": {"enabled": False}},
    {
        "mode": "isolated",
        **SUBNET,
        "dhcp": {"enabled": True},
        "domain": "lab.example",
        "dns": {"forwarders": ["fd00::1"]},
    },
)


@pytest.mark.parametrize("name", TEXTS)
def test_any_network_becomes_any_kind_of_network(
    name: str, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    root = parse(TEXTS[name])
    set_text_at(root, "name", host_objects.name("kind"))
    set_text_at(root, "uuid", str(uuid.uuid4()))
    failed = []
    with defined(qemu_connection, serialise(root)) as network:
        before = network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)
        for spec in CHANGES:
            wanted = lowered(KIND, spec, name="kind", host=HOST)
            try:
                changed = qemu_connection.networkDefineXML(patch(KIND, wanted, before))
            except libvirt.libvirtError as error:
                failed.append(f"{spec}: {error.get_error_message()}")
                continue
            if found := drift(KIND, wanted, changed.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)):
                failed.append(f"{spec}: {found}")
    assert not failed, "\n".join(failed)


def test_from_one_switch_to_another_the_way_of_joining_stays() -> None:
    after = parse(patch(KIND, lowered(KIND, {"mode": "bridge", "bridge": "ovsbr1"}, name="x", host=HOST), SWITCH))
    assert len(after.findall("portgroup/vlan")) == 2
    assert after.find("virtualport") is not None
