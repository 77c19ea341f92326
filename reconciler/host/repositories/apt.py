"""APT's repositories: `sources.list` and the `.list` and `.sources` files beside it, each in the format that it has.

New ones are written as deb822 in a file of their own. Entries for source packages are left alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.errors import Refused, Terminal
from reconciler.host.repositories import checking, text_file
from reconciler.host.repositories.one_line import OneLineEntry, OneLineFile
from reconciler.host.repositories.repository import DEB, Config, Repositories, Repository, unknown
from reconciler.host.repositories.stanzas import ID_FIELD, StanzaEntry, StanzaFile

log = logging.getLogger("onggi.host")

_KEYS: Final = ("dist", "comps")
_NAME = re.compile(r"[A-Za-z0-9_.-]+\.(?:list|sources)", re.ASCII)  # APT reads no others

Entry = OneLineEntry | StanzaEntry
Located = tuple[Path, OneLineFile | StanzaFile, Entry]


class AptRepositories(Repositories):
    """Those under `root`/etc/apt."""

    tool = DEB

    def __init__(self, root: Path = Path("/")) -> None:
        super().__init__()
        self._root = root
        self._main = root / "etc/apt/sources.list"
        self._folder = root / "etc/apt/sources.list.d"

    def _all(self) -> Iterator[Repository]:
        return (_seen(repo_id, entry) for repo_id, (_, _, entry) in self._found().items())

    def _add(self, baseurl: str | None, config: Config | None, repo_id: str | None) -> Repository:
        address = checking.url(baseurl, "baseurl")
        settings = checking.known(config, _KEYS, "Debian")
        if "dist" not in settings:
            raise Refused("A Debian repository has no config.dist; name the distribution.", reason="DistMissing")
        suite = checking.dist(settings["dist"])
        comps = _components(suite, checking.components(settings.get("comps", ())))
        found = self._found()
        made_up = _made_up_id(address, (suite,), comps)
        name = checking.identifier(repo_id) if repo_id is not None else made_up
        same = (_same(entry, address, suite, comps) for _, _, entry in found.values())
        path = self._folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.sources"
        if name in found or any(same) or path.exists():
            raise Refused(
                f"There is a repository {name!r} or one with the same content; change or enable that one.",
                reason="RepositoryExists",
            )
        fields = {ID_FIELD: name, "Types": "deb", "URIs": address, "Suites": suite, "Components": " ".join(comps)}
        text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        text_file.create(path, text, self._root)
        return self.get(name)

    def _change(self, repo_id: str, baseurl: str | None, config: Config | None, new_id: str | None) -> Repository:
        settings = checking.known(config, _KEYS, "Debian")

        def change(entry: Entry) -> None:
            shown = _seen(repo_id, entry)
            address = None if baseurl in (None, shown.baseurl) else checking.url(baseurl, "baseurl")
            suite = settings.get("dist", shown.config["dist"])
            new_suite = None if suite == shown.config["dist"] else checking.dist(suite)
            given = settings.get("comps")
            comps = entry.comps if given is None or given == shown.config["comps"] else checking.components(given)
            if given is not None or new_suite is not None:
                comps = _components(new_suite or entry.suites[0], comps)
            entry.change(address, new_suite, None if comps == entry.comps else comps)
            if new_id is not None:
                entry.call(new_id)

        return self._edit(repo_id, change)

    def _switch(self, repo_id: str, enabled: bool) -> Repository:
        return self._edit(repo_id, lambda entry: entry.enable(enabled))

    def _delete(self, repo_id: str) -> None:
        path, file, entry = self._one(repo_id)
        entry.remove()
        text = file.text()
        if path != self._main and not text.strip():
            text_file.remove(path)
        else:
            text_file.write(path, text, self._root)

    def _edit(self, repo_id: str, edit: Callable[[Entry], None]) -> Repository:
        path, file, entry = self._one(repo_id)
        before = file.text()
        edit(entry)
        if file.text() != before:
            text_file.write(path, file.text(), self._root)
        return _seen(self._id_of(path, entry), entry)

    def _id_of(self, path: Path, edited: Entry) -> str:
        """Under which id it is found from now on."""
        for repo_id, (place, _, entry) in self._found().items():
            if place == path and _seen("", entry) == _seen("", edited):
                return repo_id
        raise Terminal(f"{path} was changed by somebody else meanwhile; look at it and try again.")

    def _one(self, repo_id: str) -> Located:
        found = self._found().get(repo_id)
        if found is None:
            raise unknown(repo_id)
        return found

    def _found(self) -> Mapping[str, Located]:
        """Every entry by its id; what is written in a file has the first claim on one."""
        located = [(path, file, entry) for path, file in self._files() for entry in file.entries if entry.binary]
        found: dict[str, Located] = {}
        for each in sorted(located, key=lambda each: each[2].repo_id is None):
            entry = each[2]
            wanted = entry.repo_id if entry.repo_id and _good_id(entry.repo_id) else None
            base = wanted or _made_up_id(entry.uris[0], entry.suites, entry.comps)
            repo_id, number = base, 1
            while repo_id in found:
                number += 1
                repo_id = f"{base}-{number}"
            found[repo_id] = each
        return found

    def _files(self) -> Iterator[tuple[Path, OneLineFile | StanzaFile]]:
        try:
            beside = sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        except OSError:
            beside = []  # none yet
        for path in [self._main, *beside]:
            try:
                if path.exists():
                    text = text_file.read(path)
                    yield path, StanzaFile(text) if path.suffix == ".sources" else OneLineFile(text)
            except (Terminal, OSError) as error:
                log.warning("the package sources in %s are left out: %s", path, error)


def _seen(repo_id: str, entry: Entry) -> Repository:
    config = {"dist": checking.shown(" ".join(entry.suites)), "comps": [*map(checking.shown, entry.comps)]}
    return Repository(repo_id, checking.without_password(" ".join(entry.uris)), entry.enabled, config)


def _same(entry: Entry, address: str, suite: str, comps: tuple[str, ...]) -> bool:
    addresses = {each.rstrip("/") for each in entry.uris}
    return address.rstrip("/") in addresses and suite in entry.suites and set(comps) <= set(entry.comps)


def _components(suite: str, comps: tuple[str, ...]) -> tuple[str, ...]:
    """What APT insists on: none beside a path, at least one beside a suite (there, `main` by convention)."""
    if suite.endswith("/"):
        if comps:
            raise Refused(
                f"The dist {suite!r} is a path, which has no components; leave comps out.", reason="BadComponents"
            )
        return ()
    return comps or ("main",)


def _good_id(repo_id: str) -> bool:
    try:
        return bool(checking.identifier(repo_id))
    except Refused:
        return False


def _made_up_id(address: str, suites: tuple[str, ...], comps: tuple[str, ...]) -> str:
    words = [checking.word_for(address), checking.word_for("_".join(suites)), *map(checking.word_for, comps)]
    return "-".join(filter(None, words))[:200] or "repository"
