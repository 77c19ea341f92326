"""DNF's and YUM's repositories: the sections of the `.repo` files, each file edited where it has to change."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.errors import Refused, Terminal
from reconciler.host.repositories import checking, text_file
from reconciler.host.repositories.repo_file import RepoFile, words
from reconciler.host.repositories.repository import YUM, Config, Repositories, Repository, unknown

log = logging.getLogger("onggi.host")

_KEYS: Final = ("repo_name", "mirrorlist", "metalink", "gpgcheck", "gpgkey")
_URLS: Final = ("mirrorlist", "metalink", "gpgkey")
_MAIN: Final = "main"  # DNF's own settings, which may stand in any of its files
_BOOL: Final = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


class YumRepositories(Repositories):
    """Those in `root`/etc/yum.repos.d."""

    tool = YUM

    def __init__(self, root: Path = Path("/")) -> None:
        super().__init__()
        self._root = root
        self._folder = root / "etc/yum.repos.d"

    def _all(self) -> Iterator[Repository]:
        check = self._checked_by_default()
        return (_seen(file, repo_id, check) for repo_id, (_, file) in self._found().items())

    def _add(self, baseurl: str | None, config: Config | None, repo_id: str | None) -> Repository:
        pairs = _checked(baseurl, config)
        if not any(pairs.get(key) for key in ("baseurl", "mirrorlist", "metalink")):
            raise Refused("The repository has no address; give a baseurl, mirrorlist or metalink.", reason="NoAddress")
        if pairs.get("mirrorlist") and pairs.get("metalink"):
            raise Refused("A repository has a mirrorlist or a metalink; give one.", reason="MirrorlistAndMetalink")
        address = next(pairs[key] for key in ("baseurl", "mirrorlist", "metalink") if pairs.get(key))
        name = checking.identifier(checking.word_for(address) if repo_id is None else repo_id)
        path = self._folder / f"{name}.repo"
        if name in self._found() or path.exists():
            raise Refused(f"There is a repository or a file {name!r}; change that one.", reason="RepositoryExists")
        file = RepoFile("")
        file.append(name, {"name": name, **{key: value for key, value in pairs.items() if value}, "enabled": "1"})
        text_file.create(path, file.text(), self._root)
        return self.get(name)

    def _change(self, repo_id: str, baseurl: str | None, config: Config | None, new_id: str | None) -> Repository:
        path, file = self._one(repo_id)
        shown = _seen(file, repo_id, self._checked_by_default())
        # What was read and sent back stays as it is written.
        asked = {
            key: value for key, value in checking.known(config, _KEYS, "YUM").items() if value != shown.config[key]
        }
        pairs = _checked(None if baseurl == shown.baseurl else baseurl, asked)
        after = {key: file.get(repo_id, key) for key in ("baseurl", "mirrorlist", "metalink")} | pairs
        if not any(after.get(key) for key in ("baseurl", "mirrorlist", "metalink")):
            raise Refused("Nothing would say where the repository is; keep one address.", reason="NoAddress")
        if pairs.keys() & {"mirrorlist", "metalink"} and after.get("mirrorlist") and after.get("metalink"):
            raise Refused(
                "A repository has a mirrorlist or a metalink; make the other one empty.", reason="MirrorlistAndMetalink"
            )
        for key, value in pairs.items():
            if value:
                file.put(repo_id, key, value)
            else:
                file.drop(repo_id, key)
        if new_id is not None:
            file.rename(repo_id, new_id)
        if pairs or new_id is not None:
            text_file.write(path, file.text(), self._root)
        return self.get(new_id or repo_id)

    def _delete(self, repo_id: str) -> None:
        path, file = self._one(repo_id)
        file.remove(repo_id)
        if file.text().strip():
            text_file.write(path, file.text(), self._root)
        else:
            text_file.remove(path)

    def _switch(self, repo_id: str, enabled: bool) -> Repository:
        path, file = self._one(repo_id)
        file.put(repo_id, "enabled", "1" if enabled else "0")
        text_file.write(path, file.text(), self._root)
        return self.get(repo_id)

    def _one(self, repo_id: str) -> tuple[Path, RepoFile]:
        found = self._found().get(repo_id)
        if found is None:
            raise unknown(repo_id)
        return found

    def _found(self) -> Mapping[str, tuple[Path, RepoFile]]:
        found: dict[str, tuple[Path, RepoFile]] = {}
        for path, file in self._files():
            for name in file.names:
                if not name or name == _MAIN:
                    continue
                if checking.shown(name) != name:
                    log.warning("a section of %s has a name that isn't text; it is left out", path)
                    continue
                if name in found:
                    log.warning(
                        "the repository %r of %s is in %s too; the latter is left out", name, found[name][0], path
                    )
                    continue
                found[name] = (path, file)
        return found

    def _files(self) -> Iterator[tuple[Path, RepoFile]]:
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.suffix == ".repo" and path.name[0] != ".")
        except OSError as error:
            log.warning("the folder %s can't be read: %s", self._folder, error)
            return
        for path in paths:
            try:
                yield path, RepoFile(text_file.read(path))
            except Terminal as error:
                log.warning("the package repositories in %s are left out: %s", path, error)

    def _checked_by_default(self) -> bool:
        """What DNF's own settings say about signatures where a repository says nothing."""
        for path in ("etc/dnf/dnf.conf", "etc/yum.conf"):
            try:
                return _is(RepoFile(text_file.read(self._root / path)).get(_MAIN, "gpgcheck"), default=False)
            except Terminal:
                continue
        return False


def _seen(file: RepoFile, repo_id: str, checked_by_default: bool) -> Repository:
    def addresses(key: str) -> str:
        return checking.without_password(" ".join(words(file.get(repo_id, key))))

    return Repository(
        repo_id,
        addresses("baseurl"),
        _is(file.get(repo_id, "enabled"), default=True),
        {
            "repo_name": checking.shown(" ".join((file.get(repo_id, "name") or "").split("\n"))),
            "gpgcheck": _is(file.get(repo_id, "gpgcheck"), default=checked_by_default),
            "gpgkey": addresses("gpgkey"),
            "mirrorlist": addresses("mirrorlist"),
            "metalink": addresses("metalink"),
        },
    )


def _checked(baseurl: str | None, config: Config | None) -> dict[str, str]:
    """What is given, as the file has it; an empty value is one to remove."""
    settings = checking.known(config, _KEYS, "YUM")
    pairs: dict[str, str] = {}
    if "repo_name" in settings:
        pairs["name"] = checking.name(settings["repo_name"])
    if baseurl is not None:
        pairs["baseurl"] = baseurl and checking.url(baseurl, "baseurl")
    for key in _URLS:
        if key in settings:
            pairs[key] = "" if settings[key] == "" else checking.url(settings[key], key)
    if "gpgcheck" in settings:
        pairs["gpgcheck"] = "1" if checking.yes_or_no(settings["gpgcheck"], "gpgcheck") else "0"
    return pairs


def _is(value: str | None, *, default: bool) -> bool:
    return _BOOL.get((value or "").strip().lower(), default)
