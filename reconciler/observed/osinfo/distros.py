"""Where installation images can be had: what osinfo's database knows for an architecture, and what people added.

Whether an address answers is for whoever shows the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from reconciler.observed.osinfo.database import Database
from reconciler.observed.osinfo.definitions import ANY_ARCH, Medium, System

_SCHEMES: Final = frozenset({"http", "https", "ftp", "tftp"})


@dataclass(frozen=True, slots=True)
class Distro:
    """An installation image: `path` is its URL, or its absolute path on the host for one that people added."""

    name: str
    os_distro: str
    os_version: str
    os_arch: str
    path: str


def distributions(database: Database, arch: str, added: Iterable[Distro] = ()) -> Mapping[str, Distro]:
    """What can be installed on machines of `arch` (such as `x86_64`), by unique names without a slash. `added` ones
    take the place of those of their name.
    """
    known = list(_named(database.systems().values(), arch))
    mine = [distro for distro in added if distro.os_arch in (arch, ANY_ARCH)]
    everything = {distro.name: distro for distro in [*known, *mine]}
    return {name: everything[name] for name in sorted(everything, key=str.casefold)}


def _is_place(path: str) -> bool:
    if not path.isprintable() or " " in path:
        return False
    try:
        url = urlsplit(path)
    except ValueError:
        return False
    return path.startswith("/") if not url.scheme else url.scheme in _SCHEMES and bool(url.hostname)


def _named(systems: Iterable[System], arch: str) -> Iterator[Distro]:
    """Each image under the shortest of its names that no other has."""
    offers = [
        (system, medium)
        for system in systems
        for medium in system.media
        if medium.arch in (arch, ANY_ARCH) and medium.url.casefold().endswith(".iso") and _is_place(medium.url)
    ]
    names = [list(_names(system, medium)) for system, medium in offers]
    taken = Counter(name for several in names for name in set(several))
    for (system, medium), several in zip(offers, names, strict=True):
        name = next((each for each in several if taken[each] == 1), several[-1])
        yield Distro(name, system.distro, system.version, arch, medium.url)


def _names(system: System, medium: Medium) -> Iterator[str]:
    name = system.name_of(medium).replace("/", "-") or system.short_id
    file = PurePosixPath(unquote(urlsplit(medium.url).path)).stem
    yield name
    if medium.variants:
        yield f"{name} ({', '.join(medium.variants)})"
    yield f"{name} ({file})"
