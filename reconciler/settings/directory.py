"""What the settings say of accounts elsewhere: which LDAP servers are asked, and that what is said of them fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SettingsError

if TYPE_CHECKING:
    from reconciler.host.ldap_settings import LdapSettings
    from reconciler.settings.settings import Settings


def ldap_of(settings: Settings) -> LdapSettings | None:
    """The LDAP servers that accounts come from; None when they come from elsewhere. Raises SettingsError.

    Who logs in there is also who is listed, and whom a machine can be given to.
    """
    if settings.auth != "ldap" and settings.accounts != "ldap":
        return None
    from reconciler.host.ldap_settings import LdapSettings
    from reconciler.secret_file import SecretFile

    if not settings.ldap_url:
        raise SettingsError("Accounts from LDAP need a server; give ldap-url such as ldaps://ldap.example.org.")
    if bool(settings.ldap_bind_dn) != (settings.ldap_bind_password_file is not None):
        raise SettingsError(
            "Give both ldap-bind-dn and ldap-bind-password-file: who asks the LDAP server has to prove it."
        )
    file = settings.ldap_bind_password_file
    secret = SecretFile(file, "ldap-bind-password-file") if file is not None else None
    return LdapSettings(
        settings.ldap_url,
        settings.ldap_search_base,
        user_filter=settings.ldap_user_filter,
        name_attribute=settings.ldap_name_attribute,
        bind_dn=settings.ldap_bind_dn,
        bind_password=(lambda: secret.text()) if secret is not None else str,
        start_tls=settings.ldap_start_tls,
        ca_file=settings.ldap_ca_file,
        group_base=settings.ldap_group_base,
        group_filter=settings.ldap_group_filter,
        member_of=settings.ldap_member_of,
        has_logins=settings.auth == "ldap",
        in_clear=settings.ldap_passwords_in_clear,
    )


def check_ldap(settings: Settings) -> None:
    """Raises SettingsError for what can't be meant."""
    ldap = ldap_of(settings)
    if ldap is None and (settings.ldap_url or settings.ldap_search_base or settings.ldap_bind_dn):
        raise SettingsError("An LDAP server that no accounts come from isn't asked; set accounts to ldap, or auth.")
    if ldap is None or settings.auth != "ldap":
        return
    from reconciler.identity.role import EVERYBODY
    from reconciler.settings.logging_in import elsewhere

    roles = [name for names in elsewhere(settings.groups_of_roles).values() for name in names]
    if not roles:
        raise SettingsError(
            "Nobody of the LDAP server has a role, so nobody could log in; name a group of it by admin-group or "
            "user-group."
        )
    if not ldap.group_base and any(name != EVERYBODY for name in roles):
        raise SettingsError(
            f"The group {next(name for name in roles if name != EVERYBODY)!r} isn't looked for anywhere; say by "
            "ldap-group-base where the LDAP server has its groups."
        )
