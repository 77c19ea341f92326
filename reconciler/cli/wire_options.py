"""The options that say how the API is reached from other machines: TLS, and the names that it is called by."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.declaring import setting

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
public_names = setting(
    "--public-name",
    parameter="public_names",
    key_type=list,
    multiple=True,
    metavar="NAME",
    help="A name or address that browsers and proxies call the API by. May be repeated; the variable takes blanks.  "
    "[default: the address of --listen, and off the loopback the host's own]",
)

WIRE = (tls_cert, tls_key, public_names)
