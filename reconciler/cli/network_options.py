"""The option that says where onggi may fetch from because a document or a client says so."""

from __future__ import annotations

from reconciler.cli.declaring import setting

allowed_networks = setting(
    "--allowed-network",
    parameter="allowed_networks",
    key_type=list,
    multiple=True,
    metavar="CIDR",
    help="A network beside the Internet from which images may be fetched, as in 192.168.0.0/16. May be repeated; the "
    "variable takes blanks.",
)
