"""/vms/*/ifaces in Kimchi's words: one life of one card, and what no machine gets."""

from __future__ import annotations

from urllib.parse import quote

from tests.api.kimchi.differences import HOT_PLUG
from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi

IFACES = "/vms/web/ifaces"
ONE, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


def test_one_life_of_one_card(web: Kimchi, host: Host) -> None:
    kimchi = web
    kimchi.write("POST", "/networks", {"name": "lab", "connection": "isolated"}, 201)
    (first,) = kimchi.read(IFACES)
    assert first == {
        "type": "network", "mac": first["mac"], "model": "virtio", "network": "default", "ips": [], "actions": [],
    }  # fmt: skip
    made = kimchi.write("POST", IFACES, {"type": "network", "network": "lab", "model": "e1000", "mac": ONE}, 201)
    assert made == {**first, "mac": ONE, "model": "e1000", "network": "lab"}
    assert kimchi.read(f"{IFACES}/{ONE}") == made
    assert kimchi.read(f"{IFACES}/{ONE.upper()}") == made
    assert kimchi.read(IFACES, network="lab") == kimchi.read(IFACES, model="e1000", type="network") == [made]
    assert kimchi.read("/networks/lab")["vms"] == ["web"]
    for change in ({"model": "rtl8139"}, {"network": "default"}, {"network": "lab", "model": "virtio"}, {}):
        assert kimchi.write("PUT", f"{IFACES}/{ONE}", change).items() >= change.items()
    moved = kimchi.send("PUT", f"{IFACES}/{ONE}", {"mac": OTHER})
    assert (moved.status_code, moved.headers["Location"]) == (303, f"{kimchi.api.url}{IFACES}/{quote(OTHER)}")
    assert kimchi.read(moved.headers["Location"])["network"] == "lab"
    assert kimchi.send("DELETE", f"{IFACES}/{OTHER}").status_code == 204
    assert kimchi.refusal("GET", f"{IFACES}/{OTHER}") == "404 KCHVMIF0001E"
    assert kimchi.read(IFACES) == [first]

    kimchi.write("POST", "/vms/web/start")
    assert kimchi.refusal("PUT", f"{IFACES}/{first['mac']}", {"mac": ONE}) == "400 KCHVMIF0011E"
    answer = kimchi.send("POST", IFACES, {"type": "network", "network": "default", "mac": ONE})
    assert [answer.status_code] == host.expects(HOT_PLUG)["ifaces"]
    kimchi.write("POST", "/vms/web/poweroff")


def test_every_documented_error(web: Kimchi) -> None:
    kimchi = web
    (before,) = kimchi.read(IFACES)
    for body, code in (
        ({}, "KCHVMIF0007E"), ({"type": "network"}, "KCHVMIF0007E"),
        ({"type": "network", "network": ""}, "KCHVMIF0007E"),
        ({"type": "bridge", "network": "default"}, "KCHVMIF0004E"),
        ({"type": "network", "network": "none"}, "KCHVMIF0002E"),
        ({"type": "network", "network": "default", "model": "ne2k"}, "KCHVMIF0006E"),
        ({"type": "network", "network": "default", "mac": before["mac"]}, "KCHVMIF0009E"),
        ({"type": "network", "network": "default", "mac": "52:54:00"}, "KCHVMIF0010E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", IFACES, body) == f"400 {code}", body
    for body, code in (
        ({"network": "none"}, "KCHVMIF0002E"), ({"model": "none"}, "KCHVMIF0006E"), ({"mac": "x"}, "KCHVMIF0010E"),
    ):  # fmt: skip
        assert kimchi.refusal("PUT", f"{IFACES}/{before['mac']}", body) == f"400 {code}", body
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        assert kimchi.refusal(method, f"{IFACES}/{OTHER}", body) == "404 KCHVMIF0001E"
        assert kimchi.refusal(method, f"/vms/none/ifaces/{OTHER}", body) == "404 KCHVM0002E"
    assert kimchi.send("POST", f"{IFACES}/{before['mac']}", {}).status_code == 405
    assert kimchi.read(IFACES) == [before]
