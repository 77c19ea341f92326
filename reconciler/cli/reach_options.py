"""The options that say what of the host documents may name, and what they may not say at all."""

from __future__ import annotations

import click

from reconciler.cli.declaring import setting
from reconciler.settings import bounds

allowed_folders = setting(
    "--allowed-folder",
    parameter="allowed_folders",
    key_type=list,
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="A folder of the host in which a path that a document names may lie: an image, a shared folder, a socket, a "
    "log; or a device. May be repeated; the variable takes colons.",
)
allowed_pool_folders = setting(
    "--allowed-pool-folder",
    parameter="allowed_pool_folders",
    key_type=list,
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="A folder of the host on or below which new pools may be made. May be repeated; the variable takes colons.  "
    f"[default: {', '.join(bounds.POOL_FOLDERS)}]",
)
allowed_secret_folders = setting(
    "--allowed-secret-folder",
    parameter="allowed_secret_folders",
    key_type=list,
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="A folder of the host in which `passwordFrom` may name files, besides systemd's credentials. May be repeated; "
    f"the variable takes colons.  [default: {', '.join(bounds.SECRET_FOLDERS)}]",
)
allowed_secret_variables = setting(
    "--allowed-secret-variable",
    parameter="allowed_secret_variables",
    key_type=list,
    multiple=True,
    metavar="NAME",
    help="A variable of the agent that `passwordFrom` may name; NAME* stands for all that begin so. May be repeated; "
    f"the variable takes blanks.  [default: {', '.join(bounds.SECRET_VARIABLES)}]",
)
forbid = setting(
    "--forbid",
    key_type=list,
    multiple=True,
    metavar="RULE",
    help="What no document may say on this host: KIND, KIND.FIELD, KIND.FIELD=VALUE,… or KIND.FIELD!=VALUE,… (all but "
    "these), as in VirtualMachine.hostDevices or VirtualMachine.graphics.listen!=127.0.0.1. May be repeated; the "
    "variable takes blanks.",
)

allow_xml = setting(
    "--allow-xml",
    parameter="allow_xml",
    key_type=list,
    multiple=True,
    metavar="AREA",
    help="What the `xml` of a document may reach beyond its own object: files, devices, network, sockets, security, "
    "hypervisor or other, as docs/overlay.md tells. May be repeated; the variable takes blanks.  [default: nothing]",
)

REACH = (allowed_folders, allowed_pool_folders, allowed_secret_folders, allowed_secret_variables, allow_xml, forbid)
