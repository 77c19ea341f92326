"""Names of machines on the network that others told us: checked before they reach a program, a file or a client."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from reconciler.errors import Refused

MOST_PORT: Final = 65535
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_LONGEST: Final = 253


def checked_host(value: object) -> str:
    """A host name or an address, IPv6 without brackets. Raises Refused (BadHost).

    Nothing of it can be taken for an option, a port, a user or a second argument.
    """
    text = value if isinstance(value, str) else ""
    if text.startswith("[") and text.endswith("]") and ":" in text:
        text = text[1:-1]
    try:
        if ":" in text and "%" not in text:
            return str(ipaddress.IPv6Address(text))
    except ValueError:
        text = ""
    if (
        not text
        or len(text) > _LONGEST
        or not all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))
    ):
        raise Refused("The host is neither a name nor an address; give one such as nas.example.org.", reason="BadHost")
    return text


def checked_port(value: object) -> int:
    """A port, from a number or from its digits. Raises Refused (BadPort)."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_PORT:
        raise Refused("The port isn't a number from 1 to 65535; correct it.", reason="BadPort")
    return value


def in_url(host: str) -> str:
    """A checked host as a URL has it."""
    return f"[{host}]" if ":" in host else host
