"""The options that say at which OpenID provider somebody logs in; with --auth oidc."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.declaring import Duration, setting

oidc_issuer = setting(
    "--oidc-issuer",
    metavar="URL",
    help="The OpenID provider, exactly as it calls itself; with --auth oidc.",
)
oidc_client_id = setting("--oidc-client-id", metavar="ID", help="What this agent is called there.")
oidc_client_secret_file = setting(
    "--oidc-client-secret-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The secret that goes with --oidc-client-id.  [default: none, it is a public client]",
)
oidc_user_claim = setting(
    "--oidc-user-claim",
    show_default=True,
    metavar="CLAIM",
    help="What of somebody is their name here; one that they can't change themselves.",
)
oidc_groups_claim = setting(
    "--oidc-groups-claim", show_default=True, metavar="CLAIM", help="What says in which groups they are."
)
oidc_scopes = setting(
    "--oidc-scope",
    parameter="oidc_scopes",
    key_type=list,
    multiple=True,
    show_default=True,
    metavar="SCOPE",
    help="What the provider is asked for. May be repeated; the variable takes blanks.",
)
oidc_session_s = setting(
    "--oidc-session",
    parameter="oidc_session_s",
    key_type=float,
    type=Duration(),
    show_default=True,
    metavar="TIME",
    help="How long a login holds, whatever becomes of the account meanwhile.",
)

OIDC = (
    oidc_issuer,
    oidc_client_id,
    oidc_client_secret_file,
    oidc_user_claim,
    oidc_groups_claim,
    oidc_scopes,
    oidc_session_s,
)
