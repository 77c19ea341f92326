"""One spelling for each thing that has several: what is compared, told apart or looked up goes through here first.

Two spellings of one address that count as two pass validation, and then libvirt, which knows better, is asked in vain
for both. Pure and total: what isn't such a thing stays as it is, for whoever checks it to say so.
"""

from __future__ import annotations

import ipaddress
import re

_CANONICAL_MAC = re.compile("[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def address(text: str) -> str:
    """An IP address: `fd00:0::01` → `fd00::1`."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def subnet(text: str) -> str:
    """A network of IP addresses, or an address in it: `10.1.0.7/24` → `10.1.0.0/24`."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def prefix(netmask: str) -> str:
    """The length of a network's prefix: `255.255.255.0` → `24`."""
    try:
        return str(ipaddress.ip_network(f"0.0.0.0/{netmask}").prefixlen)
    except ValueError:
        return netmask


def mac(text: str) -> str:
    """A MAC address: lower case, two digits for each octet."""
    if _CANONICAL_MAC.fullmatch(text):  # libvirt's spelling
        return text
    return ":".join(octet.rjust(2, "0") for octet in text.strip().lower().replace("-", ":").split(":"))


def host_name(text: str) -> str:
    """A name in DNS, which knows no case and ends at the root anyway."""
    return text.lower().removesuffix(".")


def host(text: str) -> str:
    """A host by its name or its address."""
    return host_name(address(text.strip("[]")))


def path(text: str) -> str:
    """A path on the host: no doubled slashes, none at the end, no steps to the same folder.

    Steps upwards stay: where they lead is known only where the links are.
    """
    if not text or ("//" not in text and "/." not in text and text[-1] != "/"):
        return text
    return re.sub(r"(?:/\.?)+(?=/|$)", "", text) or "/"


def uid(text: str) -> str:
    """A UUID: lower case."""
    return text.lower()
