"""What cloudInit may say, and what it may not: at its place, and before anything is made of it."""

from __future__ import annotations

import pytest

from specs.validate import validate_set
from tests.specs.virtualmachine.test_ssh_keys import ED25519
from tests.specs.written import one, told, told_of, written

KEYS = f"sshKeys: ['{ED25519}']"


def machine(spec: str) -> dict[str, str]:
    return told_of("VirtualMachine", spec)


def cloud_init(fields: str) -> dict[str, str]:
    return machine(f"cloudInit: {{{fields}}}")


@pytest.mark.parametrize(
    "fields",
    [
        "",
        f"{KEYS}, user: ops, hostname: web.example.org, bus: sata",
        f'{KEYS}, user: ops, userData: "#!/bin/sh"',
        f'{KEYS}, user: ops, userData: "#cloud-config\\nusers: [default, {{name: bob}}]\\n"',
        f'{KEYS}, userData: "#cloud-config\\nssh_authorized_keys: [more]\\n"',
        'userData: "#cloud-config only a comment"',
        'userData: "#cloud-config\\na: &a [1]\\nb: *a\\n"',
        'userData: "#!/bin/sh\\n[[ -e /x ]] && {"',
        'userData: "Content-Type: multipart/mixed; boundary=x\\n[["',
        'networkConfig: "version: 2\\nethernets: {}\\n"',
        'metaData: "{public-keys: [a], number: 1.5, when: 2024-02-29}"',
    ],
)
def test_is_fine_as_cloud_init_has_it(fields: str) -> None:
    assert cloud_init(fields) == {}


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ('metaData: "a: 1\\nwhen: 2024-13-45"', "metaData", "Line 2 of this text"),
        ('metaData: "when: 2024-01-01T25:00:00Z"', "metaData", "Line 1"),
        ('metaData: "a: !vault hunter2"', "metaData", "has a tag"),
        ('metaData: "a: !!bool hunter2"', "metaData", "has a tag"),
        ('metaData: "a: !!timestamp hunter2"', "metaData", "has a tag"),
        (f'metaData: "a: {"9" * 5000}"', "metaData", "the number"),
        (f'metaData: "{"[" * 600}"', "metaData", "nested"),
        ('metaData: "a: ["', "metaData", "Line 2"),
        ('metaData: "a: &a 1\\nb: *a"', "metaData", "Aliases"),
        ('metaData: "? [a]\\n: b"', "metaData", "A key has to be text"),
        ('metaData: "just text"', "metaData", "no mapping"),
        (f'userData: "#cloud-config\\n{"[" * 600}"', "userData", "nested"),
        ('userData: "#cloud-config\\n- a"', "userData", "no mapping"),
        ('userData: "#cloud-config\\na: b: c"', "userData", "Line 2"),
        (f'networkConfig: "{"[" * 600}"', "networkConfig", "nested"),
        ('networkConfig: "just text"', "networkConfig", "no mapping"),
        ("sshKeys: [hunter2]", "sshKeys/0", "begins with its kind"),
        ("user: Bob", "user", "small letter"),
        ("hostname: -a", "hostname", "host name"),
        ("bus: virtio", "bus", "scsi"),
        (f'{KEYS}, metaData: "public-keys: [a]"', "sshKeys", "public-keys"),
        ('hostname: a, metaData: "local-hostname: b"', "hostname", "local-hostname"),
        ('hostname: a, userData: "#cloud-config\\nfqdn: b.example"', "hostname", "fqdn"),
        ('user: ops, userData: "#cloud-config\\nuser: bob"', "user", "too"),
        ('user: ops, userData: "#cloud-config\\nusers: [{name: bob}]"', "user", "default"),
        (f'{KEYS}, userData: "#cloud-config\\nusers: [{{name: bob}}]"', "sshKeys", "default"),
        (f'{KEYS}, userData: "#cloud-config\\nusers: bob, eve"', "sshKeys", "default"),
    ],
)
def test_is_refused_at_its_place_without_a_value_being_shown(fields: str, pointer: str, words: str) -> None:
    found = cloud_init(fields)
    assert list(found) == [f"/cloudInit/{pointer}"]
    assert words in found[f"/cloudInit/{pointer}"] and "hunter2" not in found[f"/cloudInit/{pointer}"]


def test_a_bus_that_the_machine_lacks_is_refused() -> None:
    assert "IDE" in machine("machine: q35\ncloudInit: {bus: ide}")["/cloudInit/bus"]
    assert machine("machine: pc\ncloudInit: {bus: ide}") == {}


def test_a_mistake_is_told_with_the_line_of_its_document() -> None:
    text = written("VirtualMachine", 'memory: 64\ncloudInit:\n  metaData: "when: 2024-13-45"')
    assert [(problem.path, problem.line, problem.pointer) for problem in told(text)] == [
        ("a.yaml", 8, "/spec/cloudInit/metaData")
    ]


LAN = "network: lan"
INIT = "\ncloudInit: {}"


@pytest.mark.parametrize(
    "interface",
    [
        "addresses: [192.168.7.5/24], gateways: [192.168.7.1], nameservers: [9.9.9.9]",
        "addresses: [192.168.7.5/24, 'fd00::5/64'], gateways: [192.168.7.1, 'fe80::1']",
        "addresses: [10.0.0.0/31]",
        "addresses: ['2001:db8::1/128'], gateways: ['fe80::1']",
        "addresses: []",
    ],
)
def test_an_interface_has_addresses_as_a_guest_may_have_them(interface: str) -> None:
    assert machine(f"interfaces: [{{{LAN}, {interface}}}]{INIT}") == {}


@pytest.mark.parametrize(
    ("interface", "pointer", "words"),
    [
        ("addresses: [192.168.7.5]", "addresses/0", "network's length"),
        ("addresses: [192.168.7.555/24]", "addresses/0", "isn't an address"),
        ("addresses: [192.168.7.5/99]", "addresses/0", "isn't an address"),
        ("addresses: [192.168.7.0/24]", "addresses/0", "of the network"),
        ("addresses: [192.168.7.255/24]", "addresses/0", "broadcast"),
        ("addresses: [127.0.0.1/8]", "addresses/0", "can't have"),
        ("addresses: ['ff02::1/64']", "addresses/0", "can't have"),
        ("addresses: ['fd00::5/64', 'fd00:0::0005/64']", "addresses/1", "already"),
        ("addresses: [192.168.7.5/24], gateways: [192.168.8.1]", "gateways/0", "gateway's network"),
        ("addresses: [192.168.7.5/24], gateways: [192.168.7.1, 192.168.7.2]", "gateways/1", "one gateway"),
        ("addresses: [192.168.7.5/24], nameservers: ['9.9.9.999']", "nameservers/0", "isn't an IP"),
        ("gateways: [192.168.7.1]", "gateways", "go with"),
    ],
)
def test_another_address_is_refused_at_its_place(interface: str, pointer: str, words: str) -> None:
    found = machine(f"interfaces: [{{{LAN}, {interface}}}]{INIT}")
    assert list(found) == [f"/interfaces/0/{pointer}"] and words in found[f"/interfaces/0/{pointer}"]


@pytest.mark.parametrize(
    ("rest", "words"),
    [("", "cloudInit: {}"), ('\ncloudInit: {networkConfig: "version: 2"}', "networkConfig")],
)
def test_somebody_has_to_tell_the_guest_its_address_and_only_one(rest: str, words: str) -> None:
    found = machine(f"interfaces: [{{{LAN}, addresses: [192.168.7.5/24]}}]{rest}")
    assert words in found.pop("/interfaces/0/addresses") and found == {}


def test_two_machines_on_one_network_have_different_addresses() -> None:
    interface = "interfaces: [{network: %s, addresses: ['%s']}]" + INIT
    described = {"a": ("lan", "fd00::5/64"), "b": ("lan", "fd00:0::5/64"), "c": ("other", "fd00::5/64")}
    documents = [one(written("VirtualMachine", interface % each, name)) for name, each in described.items()]
    assert {(problem.ref.name, problem.pointer) for problem in validate_set(documents) if problem.ref} == {
        ("a", "/spec/interfaces/0/addresses/0"),
        ("b", "/spec/interfaces/0/addresses/0"),
    }
