"""What a user may name as a source, made safe before anything is done with it: a path on this machine, or a remote URL.

Nothing is opened here. A remote's user name and password are taken out of its URL at once, so that neither a message,
nor the process list, nor the mirror's configuration can show them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.errors import SourceError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]|%(?:0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")  # `ext::sh -c …`: git would run the rest as a command
_SCP = re.compile(r"(?P<user>[\w.+-]+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+):(?P<path>[^/-].*|/.+)")
_KNOWN = "a path, file:///path, https://host/path, ssh://user@host/path or user@host:path"


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote repository. `url` is what git gets and `key` what is shown and remembered; neither holds a password."""

    url: str
    key: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def parse_location(location: str) -> Remote | str:
    """A `Remote`, or the local path that `location` names. Raises SourceError for anything that git could misread."""
    if not location or location.startswith("-") or _CONTROL.search(location):
        raise SourceError(f"The source {_shown(location)!r} isn't a location; write {_KNOWN}.")
    if _HELPER.match(location):
        raise SourceError(f"The source {_shown(location)!r} would run a program; write {_KNOWN}.")
    if "://" in location:
        return _url(location)
    if "/" not in location.partition(":")[0] and (match := _SCP.fullmatch(location)):
        if match["host"].startswith("-") or match["user"].startswith("-"):
            raise SourceError(f"The host of {location!r} starts with a hyphen; correct it.")
        return Remote(url=location, key=location)
    return location


def _url(location: str) -> Remote:
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SourceError(f"The source {_shown(location)!r} isn't a valid URL; correct its host or port.") from None
    if host.startswith("-") or (parts.username or "").startswith("-"):
        raise SourceError(f"The host of {_shown(location)!r} starts with a hyphen; correct it.")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise SourceError(f"A file URL names an absolute path of this machine, as in file:///srv/{_last(parts)}.")
        return Remote(url=location, key=location)
    if parts.scheme == "http":
        raise SourceError(f"The source {_shown(location)!r} isn't encrypted; use https or ssh.")
    if parts.scheme not in ("https", "ssh"):
        raise SourceError(f"The scheme of {_shown(location)!r} isn't supported; write {_KNOWN}.")
    if not host or parts.path in ("", "/"):
        raise SourceError(f"The URL {_shown(location)!r} lacks a host or a path; write {_KNOWN}.")
    if parts.query or parts.fragment:
        raise SourceError(
            f"The URL {_shown(location)!r} has a query or fragment; leave it away and keep credentials in git's helper."
        )
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port else ""
    if parts.scheme == "ssh":
        if parts.password:
            raise SourceError(f"ssh takes no password from a URL; give {host} a key and leave the password away.")
        # An ssh user is part of the address (`git@`, and whose home a relative path starts in), not a secret.
        url = f"ssh://{parts.username}@{netloc}{parts.path}" if parts.username else f"ssh://{netloc}{parts.path}"
        return Remote(url=url, key=url)
    url = f"https://{netloc}{parts.path}"
    return Remote(url=url, key=url, user=unquote(parts.username or ""), password=unquote(parts.password or ""))


def _last(parts: SplitResult) -> str:
    return parts.path.rstrip("/").rpartition("/")[2] or "repository.git"


def _shown(location: str) -> str:
    """A location for a message: whatever could hold a credential is cut."""
    return re.sub(r"//[^/]*@", "//", location.partition("?")[0].partition("#")[0])


def parse_sub_path(path: str) -> str:
    """A folder inside a source as `a/b`; empty for all of it. Raises SourceError when it leads outside."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or _CONTROL.search(path):
        raise SourceError(
            f"The path {path!r} leaves the repository; give a folder inside it, without `..` or a leading `/`."
        )
    return "" if str(pure) == "." else str(pure)


def check_branch(branch: str) -> None:
    """Raise SourceError for a branch name that git wouldn't allow. Empty is fine: the default branch."""
    # git's own rules (git-check-ref-format): a name reaches the git command as part of an argument.
    bad = (
        branch.startswith(("-", "/", "refs/"))
        or branch.endswith(("/", "."))
        or any(part.startswith(".") or part.endswith(".lock") or not part for part in branch.split("/"))
        or ".." in branch
        or "@{" in branch
        or branch == "@"
        or re.search(r"[\x00-\x20\x7f~^:?*\[\\]", branch)
    )
    if branch and bad:
        raise SourceError(f"{branch!r} isn't the name of a branch; give one as in `main` or `hosts/north`.")
