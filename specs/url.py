"""What a URL in a document may be: one rule for every field of every kind, and for whatever a client sends.

A URL is taken apart again wherever it is used: by the XML of a drive, by a download, by QEMU. What any of them could
stumble over, or could read in another way than its neighbour, is refused here, where there is a line to point at.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit

READABLE: Final = ("http", "https", "ftp", "ftps")  # what QEMU reads over the network, and what is downloaded
IMAGES: Final = ("http", "https", "ftp", "tftp")  # where osinfo's database knows installation images to be

_LONGEST: Final = 4096
_LONGEST_HOST: Final = 253
_HOST = re.compile(r"\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)*\.?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORT = re.compile(r"(?::[0-9]*)?")


def url_problem(text: str, schemes: Collection[str] = READABLE) -> str | None:
    """What is wrong with a URL, in a sentence that doesn't repeat it; None for a good one."""
    if len(text) > _LONGEST:
        return f"A URL has at most {_LONGEST} characters; use a shorter one."
    if not text.isprintable() or any(map(str.isspace, text)):
        return "A URL has no blanks and nothing that can't be seen; write it as %20 and the like, or remove it."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "The URL has a host or a port that can't be; a port is a number from 1 to 65535."
    if parts.scheme not in schemes:
        return f"A URL begins with {_either([f'{scheme}://' for scheme in schemes])}; correct it."
    if "@" in parts.netloc:
        return "A URL holds no user name or password, which everybody could read; leave them out."
    if port == 0:
        return "The URL has a host or a port that can't be; a port is a number from 1 to 65535."
    if not parts.netloc.startswith("[") and _is_odd_number(host):  # in brackets there is one way to read one
        return (
            "The URL's host is a number that programs read in different ways; write an IPv4 address as four numbers, "
            "as in http://192.0.2.7/image.iso."
        )
    if not _is_host(host, parts.netloc.lower()):
        return "The URL names no host that there can be; write it as in https://example.org/image.iso."
    return _path_problem(parts.path)


def format_problem(name: str, text: str) -> str | None:
    """What is wrong with a value by the format `name` of a schema; None for a good one.

    `onggi-url` is a URL, `onggi-medium` may be a path or a volume instead, `onggi-image` an absolute path. What those
    may be is said by the schema's pattern, which whoever doesn't know these formats goes by alone.
    """
    match name:
        case "onggi-medium":
            return url_problem(text) if "://" in text and not text.startswith("/") else None
        case "onggi-image":
            return None if text.startswith("/") else url_problem(text, IMAGES)
    return url_problem(text)


def _is(name: str) -> Callable[[str], bool]:
    return lambda text: format_problem(name, text) is None


FORMATS: Final = {name: _is(name) for name in ("onggi-url", "onggi-medium", "onggi-image")}


def _is_host(host: str, netloc: str) -> bool:
    if netloc.startswith("["):
        if not _PORT.fullmatch(netloc.removeprefix(f"[{host}]")):
            return False
        try:
            return not ipaddress.IPv6Address(host).scope_id
        except ValueError:
            return False
    fits = len(host) <= _LONGEST_HOST and _PORT.fullmatch(netloc.removeprefix(host)) is not None
    return fits and _HOST.fullmatch(host) is not None


def _is_odd_number(host: str) -> bool:
    """Whether readers take a host as an IPv4 address (its last part is a number) that isn't written as one."""
    last = unicodedata.normalize("NFKC", host).removesuffix(".").rpartition(".")[2]
    if not _NUMBER.fullmatch(last):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


def _path_problem(path: str) -> str | None:
    """What is written with `%` becomes text of a machine's definition."""
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return "The URL has a `%` that stands for no character of UTF-8; correct it."
    if not unquote(path).isprintable():
        return "The URL has a `%` that stands for a control character; remove it."
    return None


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
