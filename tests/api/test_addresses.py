"""Who knows a guest's addresses, and a guest that lets its host wait."""

from __future__ import annotations

import threading

import libvirt

from api.vms.ifaces.addresses import Addresses
from reconciler.observed.answers import GuestAddress
from reconciler.observed.snapshot import Observed
from specs.reference import VIRTUAL_MACHINE, Ref
from tests.api.live import LiveApi
from tests.api.parts import declare
from tests.lab.waiting import until

MAC = "52:54:00:00:00:01"


def machine(name: str, state: str = "running") -> Observed:
    return Observed(Ref(VIRTUAL_MACHINE, name), name, "<domain/>", state=state)


def address(text: str, source: str = "lease") -> GuestAddress:
    return GuestAddress(text, 24, "default", MAC, source)


def test_a_guest_that_never_answers_costs_a_moment_and_nobody_else() -> None:
    never, asked = threading.Event(), []

    def guest(ref: Ref) -> tuple[GuestAddress, ...]:
        asked.append(ref.name)
        never.wait(60)
        return (address("10.0.0.9", "agent"),)

    now = [0.0]
    addresses = Addresses(lambda ref: (address("10.0.0.1"),), guest, patience_s=0.01, now=lambda: now[0])
    try:
        for _ in range(3):
            for name in ("one", "two", "three"):
                assert addresses.by_mac(machine(name)) == {MAC: ["10.0.0.1"]}
            now[0] += 10
        assert sorted(asked) == ["one", "two"], "two are asked at a time, and each once until it answers"
    finally:
        never.set()

    def told() -> bool:
        now[0] += 10
        return addresses.by_mac(machine("one")) == {MAC: ["10.0.0.9", "10.0.0.1"]}

    until(told, 60, "what the guest said late is told")


def test_a_machine_that_is_off_has_none_and_a_guest_has_not_any_number() -> None:
    many = tuple(address(f"10.0.{n // 250}.{n % 250}", "agent") for n in range(1000))
    addresses = Addresses(lambda _: (), lambda _: many)
    assert addresses.by_mac(machine("off", "shutoff")) == {}
    assert len(addresses.by_mac(machine("on"))[MAC]) == 64


def test_what_the_host_gave_a_machine_is_told_with_its_interface(api: LiveApi, hand: libvirt.virConnect) -> None:
    spec = "  memory: 64\n  runStrategy: Always\n  interfaces:\n    - {network: default, mac: '52:54:00:00:00:01'}\n"
    declare(api, "web", spec)
    leased = hand.lookupByName("web").interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
    wanted = [each["addr"] for device in leased.values() for each in device["addrs"]]
    (listed,) = api.client.get("/vms/web/ifaces").json()
    assert wanted and listed["ips"] == wanted
    assert api.client.get(f"/vms/web/ifaces/{MAC}").json() == listed
    assert [each["mac"] for each in api.client.get("/vms/web/ifaces", params={"ips": wanted[0]}).json()] == [MAC]
    api.client.post("/vms/web/poweroff")
    assert api.client.get(f"/vms/web/ifaces/{MAC}").json()["ips"] == []
