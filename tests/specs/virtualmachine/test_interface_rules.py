"""What is told of interfaces that libvirt would refuse, or pass over without a word."""

from __future__ import annotations

import pytest

from tests.specs.written import told_of

PASST = "{proto: tcp, ranges: [{start: 90, end: 80}]}"
WRONG = [
    ("{network: a, bridge: b}", "/interfaces/0", "plugged into one thing"),
    ("{portgroup: a, bridge: b}", "/interfaces/0", "`portgroup` is one of a `network`"),
    ("{user: {}, filter: {name: clean-traffic}}", "/interfaces/0/filter", "only on `network`, `bridge`, `ethernet`"),
    ("{user: {}, bandwidth: {inbound: {average: 1MiB}}}", "/interfaces/0/bandwidth", "remove it"),
    ("{direct: {dev: eth0}, mtu: 9000}", "/interfaces/0/mtu", "libvirt knows no `mtu`"),
    ("{bridge: a, bandwidth: {inbound: {floor: 1MiB}}}", "/interfaces/0/bandwidth/inbound/floor", "`network` only"),
    ("{network: a, bandwidth: {outbound: {peak: 1MiB}}}", "/interfaces/0/bandwidth/outbound", "write `average` too"),
    ("{network: a, bandwidth: {inbound: {average: 1500B}}}", "/interfaces/0/bandwidth/inbound/average", "whole number"),
    ("{network: a, vlan: {tags: [{id: 4096}]}}", "/interfaces/0/vlan/tags/0/id", "4095"),
    ("{network: a, vlan: {tags: [{id: 1}, {id: 1}]}}", "/interfaces/0/vlan/tags/1/id", "this number already"),
    ("{network: a, vlan: {trunk: false, tags: [{id: 1}, {id: 2}]}}", "/interfaces/0/vlan/trunk", "a trunk"),
    ("{bridge: a, virtualport: {type: 802.1Qbh}}", "/interfaces/0/virtualport/type", "spoken by a card"),
    ("{bridge: a, virtualport: {type: midonet}}", "/interfaces/0/virtualport", "`interfaceId`; write it"),
    ("{bridge: a, virtualport: {type: 802.1Qbh, typeId: 1}}", "/interfaces/0/virtualport", "isn't of 802.1Qbh"),
    ("{network: a, model: e1000, driver: {queues: 2}}", "/interfaces/0/driver", "model virtio"),
    ("{network: a, driver: {name: vfio}}", "/interfaces/0/driver/name", "remove it"),
    ("{user: {passt: false, portForward: [{proto: tcp}]}}", "/interfaces/0/user/portForward", "`passt: true`"),
    (f"{{user: {{passt: true, portForward: [{PASST}]}}}}", "/interfaces/0/user/portForward/0/ranges/0/end", "exchange"),
    ("{user: {ips: [{address: 10.0.0.0}, {address: 10.1.0.0}]}}", "/interfaces/0/user/ips/1", "one address of each"),
    ("{ethernet: {managed: false}}", "/interfaces/0/ethernet/managed", "`targetDev`"),
    ("{network: a, targetDev: vnet3}", "/interfaces/0/targetDev", "choose another"),
    ("{network: a, teaming: {type: transient}}", "/interfaces/0/teaming", "needs a partner"),
    ("{network: a, teaming: {type: transient, persistent: ua-x}}", "/interfaces/0/teaming/persistent", "`alias` ua-x"),
    (
        "{vhostUser: {path: /run/a, mode: server, reconnect: {timeout: 5}}}",
        "/interfaces/0/vhostUser/mode",
        "has to be `client`",
    ),
    ("{network: a, rom: {enabled: false, bar: true}}", "/interfaces/0/rom/enabled", "without a ROM"),
    ("{hostdev: {address: 03:10.1}}", "/interfaces/0/hostdev/address", "0000:03:10.1"),
]


@pytest.mark.parametrize(("interface", "pointer", "words"), WRONG, ids=[each[0] for each in WRONG])
def test_what_libvirt_never_takes_is_told_before(interface: str, pointer: str, words: str) -> None:
    told = told_of("VirtualMachine", f"interfaces: [{interface}]")
    assert any(where.startswith(pointer) and words in sentence for where, sentence in told.items()), told


@pytest.mark.parametrize(("field", "value"), [("alias", "ua-a"), ("acpiIndex", "3"), ("targetDev", "web0")])
def test_what_tells_a_card_apart_is_given_once(field: str, value: str) -> None:
    told = told_of(
        "VirtualMachine", f"interfaces: [{{network: a, {field}: {value}}}, {{network: b, {field}: {value}}}]"
    )
    assert "already" in told[f"/interfaces/1/{field}"]
