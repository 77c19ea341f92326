"""The DNS server of a network in libvirt's XML: whether it answers, whom it asks, and the names that it knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lxml import etree

from specs import canonical
from specs.binding import Bind, Element, Items
from specs.codecs import YES_NO
from specs.declared_binds import binder, completed
from specs.effect import Effect
from specs.network.fields import SPEC

if TYPE_CHECKING:
    from specs.network.spec import DnsHost

bind = binder(SPEC)
bind_host = binder(SPEC["dns"]["hosts"])


def _put_enabled(root: Element, value: bool) -> None:
    dns = root.find("dns")
    dns = etree.SubElement(root, "dns") if dns is None else dns
    if not value:
        dns[:] = []  # libvirt refuses a DNS that is off and has contents
    dns.set("enable", YES_NO.encode(value))


def _for_everything(root: Element) -> Iterator[tuple[str, Element]]:
    """The servers that are asked for every name; one for a single domain can't be declared and passes through."""
    for each in root.iterfind("dns/forwarder"):
        if not each.get("domain"):
            yield canonical.address(each.get("addr") or ""), each


def _forwarders(root: Element) -> list[str]:
    return [address for address, _ in _for_everything(root)]


def _put_forwarders(root: Element, addresses: list[str]) -> None:
    dns = root.find("dns")
    dns = etree.SubElement(root, "dns") if dns is None else dns
    present = dict(_for_everything(root))
    for address, element in present.items():
        if address not in addresses:
            dns.remove(element)
    for address in dict.fromkeys(addresses):
        if address not in present:
            etree.SubElement(dns, "forwarder").set("addr", address)


def _hostnames(host: Element) -> list[str]:
    return [each.text or "" for each in host.iterfind("hostname")]


def _put_hostnames(host: Element, names: Sequence[str]) -> None:
    for old in host.findall("hostname"):
        host.remove(old)
    for name in names:
        etree.SubElement(host, "hostname").text = name


def dns_host(item: DnsHost) -> Element:
    """The `<host>` of one address's names."""
    element = etree.Element("host", {"ip": item["ip"]})
    _put_hostnames(element, item["hostnames"])
    return element


def _same_set(declared: list[str], observed: list[str] | None) -> bool:
    return set(map(canonical.host_name, declared)) == set(map(canonical.host_name, observed or ()))


DNS_HOSTS = Items(
    name="dns/hosts",
    elements=lambda root: root.iterfind("dns/host"),
    parent="dns",
    fields=(
        bind_host(
            "ip", get=lambda host: canonical.address(host.get("ip") or ""), put=lambda host, ip: host.set("ip", ip)
        ),
        bind_host("hostnames", get=_hostnames, put=_put_hostnames, same=_same_set),
    ),
    identity=lambda item: item["ip"],
    label=lambda item: str(item["ip"]),
    build=dns_host,
    complete=True,
)


def _for_domains(root: Element) -> Iterator[Element]:
    return (each for each in root.iterfind("dns/forwarder") if each.get("domain"))


def _domain_forwarder(item: Mapping[str, Any]) -> Element:
    return etree.Element("forwarder", {key: item[key] for key in ("domain", "addr") if item.get(key)})


DOMAIN_FORWARDERS = Items(
    name="dns/domainForwarders",
    elements=_for_domains,
    parent="dns",
    fields=completed(SPEC["dns"]["domainForwarders"].item or SPEC),
    identity=lambda item: (item["domain"], item.get("addr")),
    label=lambda item: f"{item['domain']} {item.get('addr', '')}".rstrip(),
    build=_domain_forwarder,
    add_effect=Effect.NEXT_BOOT,
    remove_effect=Effect.NEXT_BOOT,
)

DNS_BINDS: tuple[Bind, ...] = (
    bind("dns/enabled", "dns/@enable", put=_put_enabled, missing=True),
    bind("dns/forwarders", get=_forwarders, put=_put_forwarders, same=_same_set),
    DNS_HOSTS,
    DOMAIN_FORWARDERS,
)
