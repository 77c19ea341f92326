"""The options that say how somebody logs in, and where users and groups are listed."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.declaring import setting

auth = setting(
    "--auth",
    type=click.Choice(["none", "pam", "ldap", "oidc", "proxy"]),
    show_default=True,
    help="How somebody logs in to the API: with an account of this host, with one of an LDAP server, at an OpenID "
    "provider, at a proxy in front of it, or not at all (for this machine alone).",
)
pam_service = setting(
    "--pam-service", show_default=True, metavar="NAME", help="The PAM service that --auth pam asks, of /etc/pam.d."
)
pam_helper = setting(
    "--pam-helper",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The socket of root's `onggi pam`, which asks PAM for an agent that isn't root.  [default: PAM is asked here]",
)
admin_groups = setting(
    "--admin-group",
    parameter="admin_groups",
    key_type=list,
    multiple=True,
    show_default=True,
    metavar="GROUP",
    help="A group whose members are administrators, as root is; with --auth. May be repeated.",
)
operator_groups = setting(
    "--operator-group",
    parameter="operator_groups",
    key_type=list,
    multiple=True,
    metavar="GROUP",
    help="A group whose members may work with the machines that are there; with --auth. May be repeated.",
)
viewer_groups = setting(
    "--viewer-group",
    parameter="viewer_groups",
    key_type=list,
    multiple=True,
    metavar="GROUP",
    help="A group whose members may look, at nothing secret; with --auth. May be repeated.",
)
user_groups = setting(
    "--user-group",
    parameter="user_groups",
    key_type=list,
    multiple=True,
    metavar="GROUP",
    help="A group whose members see and work with just the machines whose `access` names them; with --auth. May be "
    "repeated; * for every account that can log in.",
)
accounts = setting(
    "--accounts",
    type=click.Choice(["system", "ldap"]),
    show_default=True,
    help="Where the users and groups come from that a machine can be given to: this host, or an LDAP server; with "
    "--auth ldap always that.",
)
ldap_url = setting(
    "--ldap-url",
    metavar="URL",
    help="The LDAP server, ldaps://HOST[:PORT] or ldap://HOST[:PORT]; of several, with blanks between them, the first "
    "that answers; with --auth ldap or --accounts ldap.",
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
ldap_name_attribute = setting(
    "--ldap-name-attribute",
    show_default=True,
    metavar="NAME",
    help="The attribute that a user is called by; sAMAccountName in Active Directory.",
)
ldap_group_base = setting(
    "--ldap-group-base",
    metavar="DN",
    help="Below which entry its groups are, as in ou=Groups,dc=example. Their members have the roles that "
    "--admin-group and the like give to the group's cn, or its DN.  [default: it has none]",
)
ldap_group_filter = setting(
    "--ldap-group-filter", show_default=True, metavar="FILTER", help="Which entries below --ldap-group-base are groups."
)
ldap_member_of = setting(
    "--ldap-member-of",
    key_type=bool,
    is_flag=True,
    help="Believe also the memberOf of an entry, not just the groups that name it as a member; only where the server "
    "works it out, and nobody can write it.",
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
ldap_passwords_in_clear = setting(
    "--ldap-passwords-in-clear",
    key_type=bool,
    is_flag=True,
    help="Send passwords unencrypted through the network to an ldap:// server, where whoever is on the way reads them.",
)
ldap_ca_file = setting(
    "--ldap-ca-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The authorities that its certificate is checked with.  [default: the system's]",
)
audit_log = setting(
    "--audit-log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file to which a line of JSON is added for each write, login, refused login and console of the API: who, "
    "from where, what, which commit, and how it ended.  [default: none]",
)

LOGIN = (auth, pam_service, pam_helper, admin_groups, operator_groups, viewer_groups, user_groups, audit_log)
ACCOUNTS = (
    accounts,
    ldap_url,
    ldap_search_base,
    ldap_user_filter,
    ldap_name_attribute,
    ldap_group_base,
    ldap_group_filter,
    ldap_member_of,
    ldap_bind_dn,
    ldap_bind_password_file,
    ldap_start_tls,
    ldap_passwords_in_clear,
    ldap_ca_file,
)
