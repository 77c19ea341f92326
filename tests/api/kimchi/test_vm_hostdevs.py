"""/vms/*/hostdevs in Kimchi's words. No device of the host is given to a machine that runs: the host needs its own."""

from __future__ import annotations

from tests.api.kimchi.hosts import Host
from tests.api.kimchi.words import Kimchi

HOSTDEVS = "/vms/guest/hostdevs"
HOLDER = (
    "<domain type='{type}'><name>guest</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
    "<address domain='0x0000' bus='0x00' slot='0x19' function='0x0'/></source></hostdev>"
    "</devices></domain>"
)


def test_what_a_machine_has_is_listed_and_taken_away(kimchi: Kimchi, host: Host) -> None:
    host.hand.defineXML(HOLDER.format(type=host.machines))
    kimchi.api.serving.operations.look_again(None)
    (held,) = kimchi.read(HOSTDEVS)
    assert held == {"name": "pci_0000_00_19_0", "type": "pci", "actions": []}
    assert kimchi.read(f"{HOSTDEVS}/pci_0000_00_19_0") == held
    assert kimchi.names(HOSTDEVS, type="pci", name="00_19") == ["pci_0000_00_19_0"]
    assert kimchi.names(HOSTDEVS, type="usb") == []
    assert kimchi.send("DELETE", f"{HOSTDEVS}/pci_0000_00_19_0").status_code == 204
    assert kimchi.read(HOSTDEVS) == []
    assert "hostdev" not in host.hand.lookupByName("guest").XMLDesc()


def test_every_documented_error(kimchi: Kimchi) -> None:
    hostdevs = "/vms/test/hostdevs"
    for body, code in (
        ({}, "KCHVMHDEV0004E"), ({"name": ""}, "KCHVMHDEV0004E"), ({"name": "../x"}, "KCHVMHDEV0004E"),
        ({"name": "none"}, "KCHVMHDEV0002E"), ({"name": "computer"}, "KCHVMHDEV0002E"),
    ):  # fmt: skip
        assert kimchi.refusal("POST", hostdevs, body) == f"400 {code}", body
    for method in ("GET", "DELETE"):
        assert kimchi.refusal(method, f"{hostdevs}/none") == "404 KCHVMHDEV0001E"
    assert kimchi.refusal("GET", "/vms/none/hostdevs") == "404 KCHVM0002E"
    assert kimchi.read(hostdevs) == []
