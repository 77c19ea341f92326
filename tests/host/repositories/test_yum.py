"""DNF's repositories: sections of `.repo` files, changed where asked, and nowhere else."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import NotFound, Refused
from reconciler.host.repositories.opening import open_repositories
from reconciler.host.repositories.repo_file import RepoFile
from reconciler.host.repositories.yum import YumRepositories

FEDORA = """\
# shipped with the system
[fedora]
name = Fedora $releasever
#baseurl=http://download.example/pub/fedora
metalink=https://mirrors.example.org/metalink?repo=fedora-$releasever&arch=$basearch
enabled = yes
countme=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora
   file:///etc/pki/rpm-gpg/other
; odd
this line is nothing

# about the sources
[fedora-source]
name=Sources
baseurl=http://a.example.org/x,
   http://b.example.org/y
enabled=0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/yum.repos.d").mkdir(parents=True)
    (tmp_path / "etc/dnf").mkdir()
    (tmp_path / "etc/dnf/dnf.conf").write_text("[main]\ngpgcheck=True\n")
    (tmp_path / "etc/yum.repos.d/fedora.repo").write_text(FEDORA)
    return tmp_path


@pytest.fixture
def repositories(root: Path) -> YumRepositories:
    found = open_repositories(root)
    assert isinstance(found, YumRepositories)
    return found


def fedora(root: Path) -> str:
    return (root / "etc/yum.repos.d/fedora.repo").read_text()


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "etc/yum.repos.d").iterdir())


def test_sections_are_listed_with_dnfs_own_defaults(repositories: YumRepositories) -> None:
    first, second = repositories.list()
    assert (first.repo_id, first.baseurl, first.enabled) == ("fedora", "", True)
    assert first.config == {
        "repo_name": "Fedora $releasever",
        "gpgcheck": True,
        "gpgkey": "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora file:///etc/pki/rpm-gpg/other",
        "mirrorlist": "",
        "metalink": "https://mirrors.example.org/metalink?repo=fedora-$releasever&arch=$basearch",
    }
    assert (second.repo_id, second.baseurl) == ("fedora-source", "http://a.example.org/x http://b.example.org/y")
    assert (second.enabled, second.config["gpgcheck"]) == (False, True)


def test_switching_touches_one_value(repositories: YumRepositories, root: Path) -> None:
    repositories.disable("fedora")
    assert fedora(root) == FEDORA.replace("enabled = yes", "enabled = 0")
    repositories.enable("fedora")
    repositories.enable("fedora-source")
    assert fedora(root) == FEDORA.replace("enabled = yes", "enabled = 1").replace("enabled=0", "enabled=1")
    with pytest.raises(Refused) as refused:
        repositories.enable("fedora")
    assert refused.value.reason == "AlreadyEnabled"


def test_a_change_keeps_comments_unknown_keys_and_neighbours(repositories: YumRepositories, root: Path) -> None:
    config = {"gpgkey": "https://keys.example.org/k", "repo_name": "Mine", "gpgcheck": False}
    changed = repositories.change("fedora", "http://m.example.org/f", config)
    assert (changed.baseurl, changed.config["gpgcheck"]) == ("http://m.example.org/f", False)
    wanted = FEDORA.replace("Fedora $releasever\n", "Mine\n").replace("gpgcheck=1", "gpgcheck=0")
    wanted = wanted.replace(
        "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora\n   file:///etc/pki/rpm-gpg/other\n",
        "https://keys.example.org/k\nbaseurl=http://m.example.org/f\n",
    )
    assert fedora(root) == wanted


def test_what_was_read_and_is_sent_back_changes_nothing(repositories: YumRepositories, root: Path) -> None:
    for each in repositories.list():
        assert repositories.change(each.repo_id, each.baseurl, each.config) == each
    assert fedora(root) == FEDORA


def test_an_id_can_be_another_and_all_else_stays(repositories: YumRepositories, root: Path) -> None:
    before = repositories.get("fedora")
    changed = repositories.change("fedora", new_id="hat")
    assert changed == replace(before, repo_id="hat")
    assert fedora(root) == FEDORA.replace("[fedora]", "[hat]")
    for taken in ("fedora-source", "main", "a]b"):
        with pytest.raises(Refused):
            repositories.change("hat", "http://m.example.org/f", new_id=taken)
    assert fedora(root) == FEDORA.replace("[fedora]", "[hat]"), "nothing of a refused change is done"


def test_an_empty_value_is_taken_away_but_not_the_last_address(repositories: YumRepositories, root: Path) -> None:
    with pytest.raises(Refused) as refused:
        repositories.change("fedora", config={"metalink": ""})
    assert refused.value.reason == "NoAddress"
    repositories.change("fedora", "http://m.example.org/f", {"metalink": ""})
    assert repositories.get("fedora").config["metalink"] == ""
    assert "countme=1" in fedora(root)


def test_deleting_leaves_the_other_section_and_its_comment(repositories: YumRepositories, root: Path) -> None:
    repositories.delete("fedora")
    assert fedora(root).startswith("# shipped with the system\n")
    assert fedora(root).endswith(FEDORA[FEDORA.index("# about the sources") :])
    assert [each.repo_id for each in repositories.list()] == ["fedora-source"]


def test_a_new_one_has_a_file_of_its_own_which_goes_with_it(repositories: YumRepositories, root: Path) -> None:
    config = {"repo_name": "A tool", "gpgkey": "https://e.org/key", "gpgcheck": True}
    added = repositories.add("https://e.org/$basearch/", config, repo_id="tool")
    assert added == repositories.get("tool")
    assert (root / "etc/yum.repos.d/tool.repo").read_text() == (
        "[tool]\nname=A tool\nbaseurl=https://e.org/$basearch/\ngpgkey=https://e.org/key\ngpgcheck=1\nenabled=1\n"
    )
    assert repositories.add(None, {"mirrorlist": "https://e.org/list"}).repo_id == "e.org_list"
    repositories.delete("tool")
    repositories.delete("e.org_list")
    assert names(root) == ["fedora.repo"]


@pytest.mark.parametrize(
    ("baseurl", "config", "repo_id", "reason"),
    [
        ("http://a.org/\n[evil]\nbaseurl=http://e.org", {}, "x", "BadUrl"),
        ("http://a.org/,http://e.org/", {}, "x", "BadUrl"),
        ("ssh://a.org/", {}, "x", "BadUrl"),
        (None, {}, "x", "NoAddress"),
        ("", {}, "x", "NoAddress"),
        ("http://a.org/", {"mirrorlist": "file://x"}, "x", "BadUrl"),
        ("http://a.org/", {"metalink": "http://a b"}, "x", "BadUrl"),
        ("http://a.org/", {"metalink": "http://a", "mirrorlist": "http://b"}, "x", "MirrorlistAndMetalink"),
        ("http://a.org/", {"gpgkey": "x\ngpgcheck=0"}, "x", "BadUrl"),
        ("http://a.org/", {"repo_name": "a\ngpgcheck=0"}, "x", "BadName"),
        ("http://a.org/", {"repo_name": "a\x85b"}, "x", "BadName"),
        ("http://a.org/", {"gpgcheck": "0\nx=1"}, "x", "BadConfig"),
        ("http://a.org/", {"dist": "x"}, "x", "UnsupportedConfig"),
        ("http://a.org/", {}, "../x", "BadRepositoryId"),
        ("http://a.org/", {}, "a/b", "BadRepositoryId"),
        ("http://a.org/", {}, "a]\n[b", "BadRepositoryId"),
        ("http://a.org/", {}, "main", "BadRepositoryId"),
        ("http://a.org/", {}, "fedora-source", "RepositoryExists"),
    ],
)
def test_hostile_input_is_refused_and_nothing_written(
    repositories: YumRepositories, root: Path, baseurl: str, config: dict[str, object], repo_id: str, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        repositories.add(baseurl, config, repo_id=repo_id)
    assert refused.value.reason == reason
    assert names(root) == ["fedora.repo"]
    assert fedora(root) == FEDORA


def test_one_unreadable_file_and_odd_sections_hide_no_other(
    repositories: YumRepositories, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = root / "etc/yum.repos.d"
    (folder / "dir.repo").mkdir()
    (folder / "x.repo").write_bytes(
        b"[main]\ngpgcheck=0\n[]\n[fedora]\nenabled=0\n[o\xffdd]\nname=x\n[odd]\nname=a\xff\x07\n"
    )
    with caplog.at_level(logging.WARNING):
        found = [each.repo_id for each in repositories.list()]
    assert found == ["fedora", "fedora-source", "odd"]
    assert repositories.get("odd").config["repo_name"] == "a��"
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "dir.repo" in told
    assert "x.repo" in told
    assert repositories.get("fedora").enabled


def test_an_unknown_one_is_not_found(repositories: YumRepositories) -> None:
    for act in (repositories.get, repositories.enable, repositories.disable, repositories.delete, repositories.change):
        with pytest.raises(NotFound):
            act("no-such")


def test_dnf_itself_reads_what_was_written(repositories: YumRepositories, root: Path) -> None:
    (root / "etc/yum.repos.d/fedora.repo").write_text(FEDORA.replace("this line is nothing\n", ""))  # DNF minds it
    repositories.add("file:///srv/tool/", {"repo_name": "A tool", "gpgcheck": False}, repo_id="tool")
    repositories.disable("fedora")
    repositories.enable("fedora-source")
    done = subprocess.run(
        [
            "dnf", "-q", f"--setopt=reposdir={root}/etc/yum.repos.d", f"--setopt=cachedir={root}/cache",
            f"--setopt=logdir={root}", f"--installroot={root}", "--releasever=1", "repolist",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )  # fmt: skip
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["fedora-source", "tool"]


LINES = st.one_of(
    st.text(),
    st.sampled_from(["[a]", "[b] ", "name=x", "enabled=0", "enabled = 1\r", " more", "# c", "; d", "", "x"]),
)
TEXTS = st.lists(LINES).map("\n".join)


@settings(max_examples=300)
@given(text=TEXTS)
def test_any_text_survives_and_only_the_key_that_is_put_changes(text: str) -> None:
    file = RepoFile(text)
    assert file.text() == text
    for name in file.names:
        file.put(name, "enabled", "1")
        assert file.get(name, "enabled") == "1"
        once = file.text()
        file.put(name, "enabled", "0")
        assert file.get(name, "enabled") == "0"
        file.put(name, "enabled", "1")
        assert file.text() == once

    def foreign(whole: str) -> list[str]:
        return [line for line in whole.split("\n") if line and not line.startswith(("enabled", " ", "\t"))]

    assert foreign(file.text()) == foreign(text)


@settings(max_examples=200)
@given(text=TEXTS)
def test_a_section_that_is_added_and_removed_leaves_the_rest(text: str) -> None:
    file = RepoFile(text)
    file.append("added", {"name": "x", "enabled": "1"})
    assert file.get("added", "name") == "x"
    file.remove("added")
    assert "added" not in file.names
    assert file.text().rstrip("\n") == text.rstrip("\n")
