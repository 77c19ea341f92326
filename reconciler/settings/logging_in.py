"""How somebody logs in to the API, as the settings have it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.errors import SettingsError
from reconciler.identity.elsewhere import NoAccounts
from reconciler.identity.logins import Logins
from reconciler.identity.pam import PamAccounts, PamChildren, PamHelper
from reconciler.identity.role import EVERYBODY, Role
from reconciler.settings.bounds import ADMIN_GROUPS
from reconciler.settings.pam_doubts import pam_doubts

if TYPE_CHECKING:
    from reconciler.host.ldap_settings import LdapSettings

log = logging.getLogger("onggi.run")

AT_A_PROXY: Final = "The proxy in front of this server does that."
AT_A_PROVIDER: Final = "Begin at /login/oidc."

Groups = Mapping[Role, Collection[str]]


def logins_by_pam(service: str, helper: Path | None, groups: Groups) -> Logins:
    """With accounts of this host; PAM is asked here, or by root's `onggi pam` at `helper`."""
    for doubt in pam_doubts(service, helper, groups):
        log.warning("%s", doubt)
    return Logins(PamAccounts(PamChildren(service) if helper is None else PamHelper(helper)), groups)


def logins_by_ldap(settings: LdapSettings, groups: Groups) -> Logins:
    """With accounts of a directory, whose groups are other groups than this host's."""
    from reconciler.identity.ldap_login import TIMEOUT_S, LdapLogins

    counting = elsewhere(groups)
    named = [name for names in counting.values() for name in names]
    return Logins(LdapLogins(replace(settings, timeout_s=TIMEOUT_S), named), counting, here=groups)


def check_roles_by_ldap(settings: LdapSettings, groups: Groups) -> None:
    """Raises SettingsError where nobody of the directory could do anything."""
    named = [name for names in elsewhere(groups).values() for name in names]
    if not named:
        raise SettingsError(
            "Nobody of the LDAP server has a role, so nobody could log in; name a group of it by admin-group or "
            "user-group."
        )
    if not settings.group_base and any(name != EVERYBODY for name in named):
        raise SettingsError(
            f"The group {next(name for name in named if name != EVERYBODY)!r} isn't looked for anywhere; say by "
            "ldap-group-base where the LDAP server has its groups."
        )


def logins_elsewhere(groups: Groups, hint: str) -> Logins:
    """By another server's word; `hint` says how one comes by it."""
    return Logins(NoAccounts(), groups, elsewhere=elsewhere(groups), hint=hint)


def elsewhere(groups: Groups) -> Groups:
    """Of groups those that count when another server says who is in them. Its groups are others, whatever they are
    called: those that administer this host by default don't count.
    """
    admins = groups.get(Role.ADMIN, ())
    return groups if tuple(admins) != ADMIN_GROUPS else {**groups, Role.ADMIN: ()}
