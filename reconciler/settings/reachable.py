"""Where the API listens, and that nobody but this machine reaches it who doesn't have to log in, and encrypted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError

_MAX_PORT: Final = 65535
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


LOGIN: Final = "login"
TLS: Final = "tls"


def host_and_port(
    listen: str, *, has_login: bool = False, has_tls: bool = False, waived: Collection[str] = ()
) -> tuple[str, int]:
    """The host and port of `127.0.0.1:8010` or `[::1]:8010`. Raises SettingsError.

    An address that others can reach is one only where they have to log in, and nobody on the way can read how; except
    for what was `waived` in so many words: LOGIN, TLS.
    """
    host, separator, port = listen.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
        raise SettingsError(f"{listen!r} isn't an address to listen on; give HOST:PORT such as 127.0.0.1:8010.")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    missing = [] if has_login or LOGIN in waived else ["a login (--auth pam, ldap, oidc or proxy)"]
    missing += [] if has_tls or TLS in waived else ["TLS (--tls-cert and --tls-key; `onggi cert` makes both)"]
    if missing and not is_loopback(host):
        raise SettingsError(
            f"{listen} can be reached from other machines, which takes a login and TLS; give {' and '.join(missing)}, "
            f"or listen on 127.0.0.1:{port}."
        )
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Raises SettingsError for one without the other."""
    if (certificate is None) != (key is None):
        raise SettingsError("A certificate goes with its key: give both tls-cert and tls-key.")


def check_names(names: Iterable[str], key: str = "public-name") -> None:
    """Raises SettingsError for what no browser would call a server."""
    for name in names:
        if not is_host_name(name):
            raise SettingsError(
                f"{key} {name!r} is neither a host's name nor an address; give one such as kvm1.example.org, "
                "without a scheme and without a port."
            )


def is_host_name(name: str) -> bool:
    """A name or an address, as it stands in a URL or a certificate."""
    import ipaddress

    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _NAME.fullmatch(name) is not None and ".." not in name
    return True
