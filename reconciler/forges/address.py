"""Which forge is told, where its API answers, and what the repository is called there: from the settings alone."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.errors import SettingsError, SourceError
from reconciler.settings.settings import Settings
from reconciler.source.location import Remote, parse_location

FORGES = ("github", "gitlab", "gitea", "forgejo")

_HOSTED = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "forgejo", "gitea.com": "gitea"}
_API_PATHS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class ForgeAddress:
    """`kind` is one of FORGES, `api` the base URL of its API without a last slash, `repository` `owner/name`."""

    kind: str
    api: str
    repository: str
    token_file: Path


def forge_address(settings: Settings) -> ForgeAddress | None:
    """The forge that the settings name; None when none is to be told. What is obvious from the repository's URL is
    taken from there. Raises SettingsError for what is missing or can't be right.
    """
    if settings.forge_token_file is None:
        if settings.forge or settings.forge_url or settings.forge_repository or settings.forge_plan_forks:
            raise SettingsError("A forge takes reports only with a token; name its file with --forge-token-file.")
        return None
    host, path = _host_and_path(settings.repository)
    kind = settings.forge or _HOSTED.get(host) or _by_name(host)
    if not kind:
        raise SettingsError(
            f"The forge isn't obvious from the repository; choose one with --forge: {', '.join(FORGES)}."
        )
    repository = settings.forge_repository or path
    if not _NAME.fullmatch(repository):
        raise SettingsError(
            f"{repository!r} isn't a repository on a forge; give --forge-repository as owner/name."
            if repository
            else "The repository's name on the forge isn't known; give --forge-repository as owner/name."
        )
    return ForgeAddress(kind, _api(settings.forge_url, kind, host), repository, settings.forge_token_file)


def _host_and_path(location: str) -> tuple[str, str]:
    """The host of a remote, and its path as `owner/name`; both empty for what lies on this machine."""
    try:
        remote = parse_location(location)
    except SourceError:
        return "", ""
    if not isinstance(remote, Remote) or remote.url.startswith("file:"):
        return "", ""
    if "://" in remote.url:
        parts = urlsplit(remote.url)
        host, path = parts.hostname or "", parts.path
    else:
        match = _SCP.fullmatch(remote.url)
        host, path = (match["host"], match["path"]) if match else ("", "")
    return host.lower(), path.strip("/").removesuffix(".git")


def _by_name(host: str) -> str:
    """`gitlab.example.org` says what it is."""
    first = host.partition(".")[0]
    return first if first in FORGES else ""


def _api(url: str, kind: str, host: str) -> str:
    if not url:
        if not host:
            raise SettingsError(
                "Where the forge's API answers isn't known; give --forge-url, such as https://host/api."
            )
        return "https://api.github.com" if host == "github.com" else f"https://{host}{_API_PATHS[kind]}"
    try:
        parts = urlsplit(url)
        name, _port = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError("The forge-url isn't a URL; correct its host or port.") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError("The forge-url holds more than an address; keep the token in --forge-token-file.")
    if not name or parts.scheme not in ("https", "http"):
        raise SettingsError(f"{url!r} isn't the address of an API; give one such as https://{host or 'host'}/api.")
    if parts.scheme == "http" and not _is_loopback(name):
        raise SettingsError(f"{url} isn't encrypted and would show the token to anybody; use https.")
    base = url.rstrip("/")
    # The address of the forge itself will do: its API is always in the same place.
    return base + _API_PATHS[kind] if parts.path in ("", "/") and name != "api.github.com" else base


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
