"""What may be written into a repository's file: nothing that would begin another line, option, entry or comment.

The answer is the checked value; everything else is refused before any file is opened.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from reconciler.errors import Refused

SCHEMES: Final = ("http", "https", "ftp", "file")

_LONGEST_URL: Final = 2000
_LONGEST_NAME: Final = 200
# No quotes, blanks, `#`, `,` or brackets: they mean something in one file format or another. `$` begins a variable.
_URL = re.compile(r"[A-Za-z0-9$_.~!*'();:@&=+/?%{}\[\]-]+", re.ASCII)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_${}.-]+|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*", re.ASCII)
_DIST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]*(?:/[A-Za-z0-9._~+-]+)*/?|\.?/", re.ASCII)
_COMPONENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(?:/[A-Za-z0-9][A-Za-z0-9._+-]*)*", re.ASCII)


def url(value: object, what: str) -> str:
    """An http, https, ftp or file URL without a password. `what` names the field in the refusal."""
    if not isinstance(value, str) or len(value) > _LONGEST_URL or not _URL.fullmatch(value):
        raise Refused(
            f"The {what} isn't a plain URL; give one without blanks, quotes, commas and fragments, such as "
            "https://example.org/debian.",
            reason="BadUrl",
        )
    try:
        parts = urlsplit(value)
        host, port, password = parts.hostname, parts.port, parts.password
        if parts.netloc.rpartition("@")[2].startswith("["):
            ipaddress.IPv6Address(host or "")
    except ValueError:
        raise Refused(f"The {what} has a host or a port that can't be; correct it.", reason="BadUrl") from None
    if parts.scheme not in SCHEMES:
        raise Refused(f"The {what} begins with none of {', '.join(SCHEMES)}; use one of them.", reason="BadUrl")
    if password is not None or "@" in parts.netloc:
        raise Refused(
            f"The {what} holds a user name or a password, which everybody could read; keep it in the package tool's "
            "own settings (/etc/apt/auth.conf.d, or username= and password= of a .repo file).",
            reason="BadUrl",
        )
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise Refused(f"The {what} names no absolute path; write it as file:///path.", reason="BadUrl")
    elif not host or port == 0 or not _HOST.fullmatch(parts.netloc.removesuffix(f":{port}")):
        raise Refused(f"The {what} names no host; write it as {parts.scheme}://host/path.", reason="BadUrl")
    if "[" in parts.path + parts.query or "]" in parts.path + parts.query:
        raise Refused(f"The {what} has brackets outside of its host; write them as %5B and %5D.", reason="BadUrl")
    return value


def identifier(value: object) -> str:
    """A repository's id: one word that can be a file's name and a section's."""
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not _ID.fullmatch(value) or value == "main":
        raise Refused(
            "The repo_id isn't one plain word; use letters, digits, '.', '_', ':' and '-', begin with a letter or "
            "digit, and leave 'main' to the package tool.",
            reason="BadRepositoryId",
        )
    return value


def dist(value: object) -> str:
    """A suite of APT, or a path that ends with a slash."""
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not _DIST.fullmatch(value) or ".." in value:
        raise Refused("The dist isn't the name of one distribution; give a word such as bookworm.", reason="BadDist")
    return value


def components(value: object) -> tuple[str, ...]:
    """Components of APT, each once."""
    if not isinstance(value, list | tuple):
        raise Refused('The comps aren\'t a list of words; give one such as ["main"].', reason="BadComponents")
    for each in value:
        if not isinstance(each, str) or len(each) > _LONGEST_NAME or not _COMPONENT.fullmatch(each):
            raise Refused("A component isn't one plain word; give words such as main.", reason="BadComponents")
    if len(set(value)) != len(value):
        raise Refused("A component is given twice; give each once.", reason="BadComponents")
    return tuple(value)


def name(value: object) -> str:
    """A name for people: one printable line."""
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable() or value != value.strip():
        raise Refused("The repo_name isn't one line of text; give a short name.", reason="BadName")
    return value


def yes_or_no(value: object, what: str) -> bool:
    """True or False, and nothing that only looks like it."""
    if not isinstance(value, bool):
        raise Refused(f"The {what} is neither true nor false; give one of them.", reason="BadConfig")
    return value


def known(config: Mapping[str, object] | None, keys: tuple[str, ...], tool: str) -> Mapping[str, object]:
    """The configuration, with no key that the tool doesn't have."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise Refused("The config isn't an object; give one.", reason="BadConfig")
    if foreign := sorted(str(key) for key in config.keys() - set(keys)):
        raise Refused(
            f"A {tool} repository has no setting {foreign[0][:40]!r}; it has {', '.join(keys)}.",
            reason="UnsupportedConfig",
        )
    return config


def shown(text: str) -> str:
    """A text of a file as people and JSON can have it: bytes that were no UTF-8, and what can't be printed, as `�`."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "�" for each in readable)


def without_password(address: str) -> str:
    """An address as it may be shown."""
    address = shown(address)
    return re.sub(r"(://[^/\s:@]*):[^/\s@]*@", r"\1:…@", address)


def word_for(address: str) -> str:
    """An address as a word: what it is made of, without the scheme, who logs in, and signs."""
    rest = re.sub(r"^[^/]*://", "", address.strip())
    rest = re.sub(r"^[^/]*@", "", rest)
    return re.sub(r"[^A-Za-z0-9.-]+", "_", rest).strip("_.-")[:120]
