"""The OpenID provider as the settings name it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from reconciler.errors import SettingsError
from reconciler.identity.oidc.registration import Registration, is_safe
from reconciler.secret_file import SecretFile

LONGEST_S: Final = 12 * 3600.0
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # as RFC 6749 has it


def registration(
    *,
    issuer: str,
    client_id: str,
    secret_file: Path | None,
    user_claim: str,
    groups_claim: str,
    scopes: tuple[str, ...],
    session_s: float,
) -> Registration:
    """Raises SettingsError for what is missing or can't be meant."""
    if not issuer or not client_id:
        raise SettingsError("auth oidc needs a provider, and a name there; give oidc-issuer and oidc-client-id.")
    if not is_safe(issuer) or "?" in issuer:
        raise SettingsError(
            f"oidc-issuer {issuer!r} isn't the address of a provider; give one such as https://login.example.org, "
            "without a user, `?` and `#`; http only within this machine."
        )
    if not user_claim or not groups_claim:
        raise SettingsError("oidc-user-claim and oidc-groups-claim can't be empty; leave them away for the usual ones.")
    if "openid" not in scopes or not all(map(_SCOPE.fullmatch, scopes)):
        raise SettingsError("oidc-scope has to have openid among words without blanks; give openid, profile and email.")
    if not 60 <= session_s <= LONGEST_S:
        raise SettingsError("oidc-session is from 1m to 12h; give one such as 1h.")
    file = SecretFile(secret_file, "oidc-client-secret-file") if secret_file is not None else None
    return Registration(issuer, client_id, file.text if file is not None else str, user_claim, groups_claim, scopes)
