"""The options that say where users and groups are listed. Logging in isn't among them."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.declaring import setting

accounts = setting(
    "--accounts",
    type=click.Choice(["system", "ldap"]),
    show_default=True,
    help="Where the users and groups come from that a machine can be given to: this host, or an LDAP server.",
)
ldap_url = setting(
    "--ldap-url",
    metavar="URL",
    help="The LDAP server, ldaps://HOST[:PORT] or ldap://HOST[:PORT]; with --accounts ldap.",
)
ldap_search_base = setting(
    "--ldap-search-base", metavar="DN", help="Below which entry its users are, as in ou=People,dc=example."
)
ldap_user_filter = setting(
    "--ldap-user-filter",
    show_default=True,
    metavar="FILTER",
    help="Which of its entries are users; %(username)s stands for the name.",
)
ldap_bind_dn = setting("--ldap-bind-dn", metavar="DN", help="Who asks it.  [default: nobody in particular]")
ldap_bind_password_file = setting(
    "--ldap-bind-password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The password that goes with --ldap-bind-dn.",
)
ldap_start_tls = setting(
    "--ldap-start-tls", key_type=bool, is_flag=True, help="Encrypt an ldap:// connection before anything is said."
)
ldap_ca_file = setting(
    "--ldap-ca-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The authorities that its certificate is checked with.  [default: the system's]",
)

ACCOUNTS = (
    accounts,
    ldap_url,
    ldap_search_base,
    ldap_user_filter,
    ldap_bind_dn,
    ldap_bind_password_file,
    ldap_start_tls,
    ldap_ca_file,
)
