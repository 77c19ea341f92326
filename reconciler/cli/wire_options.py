"""The options that say how the API is reached from other machines: TLS, the names that it is called by, and proxies."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.declaring import setting
from reconciler.settings.reachable import LOGIN, TLS

tls_cert = setting(
    "--tls-cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The certificate that --listen shows, in PEM, with what leads to its authority; read again when it changes.  "
    "[default: no TLS]",
)
tls_key = setting(
    "--tls-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key of --tls-cert, in PEM and not encrypted; nobody else may read the file.",
)
expose_without = setting(
    "--expose-without",
    parameter="expose_without",
    key_type=list,
    multiple=True,
    type=click.Choice([LOGIN, TLS]),
    help="Serve an address that others can reach although nobody has to log in there, or although everybody on the way "
    "can read passwords and change answers. May be repeated; the variable takes blanks.",
)
public_names = setting(
    "--public-name",
    parameter="public_names",
    key_type=list,
    multiple=True,
    metavar="NAME",
    help="A name or address that browsers and proxies call the API by. May be repeated; the variable takes blanks.  "
    "[default: the address of --listen, and off the loopback the host's own]",
)

trusted_proxies = setting(
    "--trusted-proxy",
    parameter="trusted_proxies",
    key_type=list,
    multiple=True,
    metavar="ADDRESS|user:NAME",
    help="A proxy in front of the API whose X-Forwarded-For and -Proto are believed: its address, a network, or on "
    "this machine the user that it runs as. May be repeated; the variable takes blanks.",
)
proxy_user_header = setting(
    "--proxy-user-header",
    show_default=True,
    metavar="NAME",
    help="The header by which a trusted proxy says who asks; with --auth proxy.",
)
proxy_groups_header = setting(
    "--proxy-groups-header",
    metavar="NAME",
    help="And that by which it says in which groups they are, divided by commas.  [default: none]",
)

WIRE = (tls_cert, tls_key, expose_without, public_names)
PROXY = (trusted_proxies, proxy_user_header, proxy_groups_header)
