"""One thing in two spellings is one thing: for validation, for comparing, and for what is written to the host."""

from __future__ import annotations

from typing import Any

import pytest

from specs import canonical
from specs.host import Host
from specs.network import KIND as NETWORK
from specs.storagepool import KIND as POOL
from specs.virtualmachine import KIND as MACHINE
from specs.virtualmachine.storage.sources import exactly_same, url_source
from tests.specs.rendering import drift, lowered, new_xml, patch
from tests.specs.written import told_of

HOST = Host(used_subnets=())


@pytest.mark.parametrize(
    ("form", "spellings", "other"),
    [
        (canonical.address, ["fd00::1", "FD00::1", "fd00:0:0:0::1", "fd00:0000::0001"], "fd00::2"),
        (canonical.address, ["10.0.0.1"], "10.0.0.2"),
        (canonical.subnet, ["10.1.0.0/24", "10.1.0.7/24", "10.1.0.0/255.255.255.0"], "10.1.0.0/16"),
        (canonical.mac, ["52:54:00:00:0a:01", "52:54:00:00:0A:01", "52-54-00-00-0a-01", "52:54:0:0:a:1"],
         "52:54:00:00:0a:02"),
        (canonical.host_name, ["web.example.org", "Web.Example.ORG", "web.example.org."], "www.example.org"),
        (canonical.host, ["fd00::1", "[fd00:0::1]", "FD00::1"], "fd00::2"),
        (canonical.path, ["/srv/a", "/srv//a", "/srv/a/", "/srv/./a", "//srv/a/."], "/srv/../a"),
        (canonical.path, ["/", "//", "/."], "/a"),
        (canonical.uid, ["1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30", "1C0B3C4E-7A0B-4A35-8D0D-0D9F6C0F3C30"], ""),
    ],
)  # fmt: skip
def test_all_spellings_have_one_form(form: Any, spellings: list[str], other: str) -> None:
    assert {form(text) for text in spellings} == {spellings[0]}
    assert form(other) != spellings[0]


@pytest.mark.parametrize("text", ["", "no address", "fd00::g", "300.0.0.1", "[", "a/b", "\N{SNOWMAN}"])
def test_what_is_no_such_thing_is_answered_all_the_same(text: str) -> None:
    for form in (
        canonical.address,
        canonical.subnet,
        canonical.mac,
        canonical.host_name,
        canonical.host,
        canonical.path,
    ):
        assert isinstance(form(text), str)
        assert form(form(text)) == form(text)


V6, AGAIN = "fd00::1", "FD00:0:0::0001"


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        (f"dns: {{forwarders: ['{V6}', '{AGAIN}']}}", "/dns/forwarders/1"),
        (f"dns: {{hosts: [{{ip: '{V6}', hostnames: [a]}}, {{ip: '{AGAIN}', hostnames: [b]}}]}}", "/dns/hosts/1/ip"),
        ("dns: {hosts: [{ip: 10.0.0.2, hostnames: [web]}, {ip: 10.0.0.3, hostnames: [WEB]}]}",
         "/dns/hosts/1/hostnames/0"),
    ],
)  # fmt: skip
def test_a_second_spelling_of_the_same_is_a_mistake(spec: str, pointer: str) -> None:
    assert list(told_of("Network", f"mode: nat\nsubnet: 10.0.0.0/24\n{spec}")) == [pointer]


def test_another_spelling_of_what_the_host_has_is_no_difference() -> None:
    host = {"mac": "52:54:00:00:0a:01", "ip": "10.0.0.9", "name": "web"}
    other = {"mac": "52:54:00:00:0A:01", "ip": "10.0.0.9", "name": "Web"}
    spec = {
        "mode": "nat",
        "subnet": "10.0.0.0/24",
        "dhcp": {"hosts": [host]},
        "dns": {"forwarders": [V6], "hosts": [{"ip": V6, "hostnames": ["web", "www"]}]},
    }
    again = {
        **spec,
        "dhcp": {"hosts": [other]},
        "dns": {"forwarders": [AGAIN], "hosts": [{"ip": AGAIN, "hostnames": ["WWW", "web"]}]},
    }
    text = new_xml(NETWORK, lowered(NETWORK, spec, name="lan", host=HOST), name="lan", host=HOST)
    wanted = lowered(NETWORK, again, name="lan", host=HOST)
    assert drift(NETWORK, wanted, text) == []
    assert patch(NETWORK, wanted, text) == patch(NETWORK, {}, text)


@pytest.mark.parametrize(
    ("kind", "spec", "again"),
    [
        (MACHINE, {"graphics": {"type": "vnc", "listen": "::1"}}, {"graphics": {"type": "vnc", "listen": "0:0::1"}}),
        (MACHINE, {"cdroms": [{"path": "/srv/iso/a.iso"}]}, {"cdroms": [{"path": "/srv//iso/./a.iso"}]}),
        (MACHINE, {"interfaces": [{"network": "n", "mac": "52:54:00:00:0A:01"}]},
         {"interfaces": [{"network": "n", "mac": "52:54:00:00:0a:01"}]}),
        (MACHINE, {"memory": "1GiB"}, {"memory": 1024}),
        (POOL, {"type": "dir", "path": "/srv/a"}, {"type": "dir", "path": "//srv/./a/"}),
        (POOL, {"type": "netfs", "source": {"host": "NAS.example", "path": "/x"}},
         {"type": "netfs", "source": {"host": "nas.example", "path": "//x/"}}),
    ],
)  # fmt: skip
def test_two_documents_that_mean_the_same_make_the_same(kind: Any, spec: dict[str, Any], again: dict[str, Any]) -> None:
    for one, other in ((spec, again), (again, spec)):
        text = new_xml(kind, lowered(kind, one, name="a", host=HOST), name="a", host=HOST)
        assert drift(kind, lowered(kind, other, name="a", host=HOST), text) == []


def test_one_address_of_a_medium_is_one() -> None:
    for url in ("http://[fd00:0::1]/a.iso", "http://[FD00::1]:80/a.iso"):
        assert exactly_same(url_source(url), url_source("http://[fd00::1]/a.iso"))
