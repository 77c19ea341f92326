"""`onggi pam`: what of logging in needs root, for an agent that isn't."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.options import log_format, verb
from reconciler.cli.signals import on_signals, to_end
from reconciler.errors import SettingsError


@verb(
    "pam",
    click.argument("user", metavar="USER", help="As whom the agent runs; nobody else is answered."),
    click.option(
        "--at",
        "place",
        type=click.Path(path_type=Path),
        default=Path("/run/onggi-pam/socket"),
        show_default=True,
        metavar="PATH",
        help="The Unix socket, which the agent is told of by --pam-helper.",
    ),
    click.option(
        "--service", default="login", show_default=True, metavar="NAME", help="The PAM service that is asked."
    ),
    log_format,
    logs_at="INFO",
)
def command(user: str, place: Path, service: str) -> None:
    """Ask PAM for an agent that doesn't run as root.

    PAM tells root alone whether another's password is right. This process, root's, says so to the agent of one user and
    does nothing else. SIGTERM ends it.
    """
    import pwd

    from reconciler.confined.unix_socket import UnixSocket
    from reconciler.identity.pam import PamChildren
    from reconciler.identity.pam_helper import Helper

    try:
        number = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise SettingsError(f"There is no user {user!r}; name the one that the agent runs as.") from None
    helper = Helper(PamChildren(service), UnixSocket(place, owner=number), (number, os.geteuid()))
    with on_signals(to_end(helper.end)):
        helper.serve()
