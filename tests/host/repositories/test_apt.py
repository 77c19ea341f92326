"""APT's repositories: listed as the files have them, changed where asked, and nowhere else."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import NotFound, Refused, Terminal
from reconciler.host.repositories.apt import AptRepositories
from reconciler.host.repositories.one_line import OneLineFile
from reconciler.host.repositories.opening import open_repositories
from reconciler.host.repositories.stanzas import StanzaFile

LIST = """\
# The machine's own sources. deb lines below are for the desk.
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://example.org/debian bookworm main contrib  # with a remark
deb-src [signed-by=/usr/share/keyrings/a.gpg] http://example.org/debian bookworm main
# deb http://example.org/debian bookworm-proposed main
#deb cdrom:[Debian GNU/Linux 12 - amd64]/ bookworm main

  deb https://packages.example.org:8443/tool/ ./
"""
SOURCES = """\
# alone

# about this one
Types: deb deb-src
URIs: http://example.com/debian
Suites: trixie trixie-updates
# which ones
Components: main
 non-free
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS
 -----END PGP PUBLIC KEY BLOCK-----

# another
Enabled: No
Types: deb
uris: https://example.net/b
Suites: stable
Components: main
X-Of-Somebody: stays
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder.parent / "sources.list").write_text(LIST)
    (folder / "more.sources").write_text(SOURCES)
    return tmp_path


@pytest.fixture
def repositories(root: Path) -> AptRepositories:
    found = open_repositories(root)
    assert isinstance(found, AptRepositories)
    return found


def files_of(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(errors="surrogateescape")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_entries_of_both_formats_are_listed_also_those_that_are_off(repositories: AptRepositories) -> None:
    assert [(each.repo_id, each.baseurl, each.enabled, each.config) for each in repositories.list()] == [
        (
            "cdrom_Debian_GNU_Linux_12_-_amd64-bookworm-main",
            "cdrom:[Debian GNU/Linux 12 - amd64]/",
            False,
            {"dist": "bookworm", "comps": ["main"]},
        ),
        (
            "example.com_debian-trixie_trixie-updates-main-non-free",
            "http://example.com/debian",
            True,
            {"dist": "trixie trixie-updates", "comps": ["main", "non-free"]},
        ),
        (
            "example.net_b-stable-main",
            "https://example.net/b",
            False,
            {"dist": "stable", "comps": ["main"]},
        ),
        (
            "example.org_debian-bookworm-main-contrib",
            "http://example.org/debian",
            True,
            {"dist": "bookworm", "comps": ["main", "contrib"]},
        ),
        (
            "example.org_debian-bookworm-proposed-main",
            "http://example.org/debian",
            False,
            {"dist": "bookworm-proposed", "comps": ["main"]},
        ),
        (
            "packages.example.org_8443_tool",
            "https://packages.example.org:8443/tool/",
            True,
            {"dist": "./", "comps": []},
        ),
    ]


def test_switching_a_line_off_and_on_leaves_no_trace(repositories: AptRepositories, root: Path) -> None:
    for repo_id in ("example.org_debian-bookworm-main-contrib", "packages.example.org_8443_tool"):
        assert not repositories.disable(repo_id).enabled
        assert not repositories.get(repo_id).enabled
        assert repositories.enable(repo_id).enabled
    assert files_of(root)["etc/apt/sources.list"] == LIST


def test_a_line_that_was_commented_out_comes_into_use(repositories: AptRepositories, root: Path) -> None:
    repositories.enable("example.org_debian-bookworm-proposed-main")
    wanted = LIST.replace("# deb http://example.org/debian bookworm-p", "deb http://example.org/debian bookworm-p")
    assert files_of(root)["etc/apt/sources.list"] == wanted


def test_switching_a_stanza_touches_one_field(repositories: AptRepositories, root: Path) -> None:
    repositories.enable("example.net_b-stable-main")
    assert files_of(root)["etc/apt/sources.list.d/more.sources"] == SOURCES.replace("Enabled: No", "Enabled: yes")
    repositories.disable("example.net_b-stable-main")
    assert files_of(root)["etc/apt/sources.list.d/more.sources"] == SOURCES.replace("Enabled: No", "Enabled: no")


def test_what_is_so_already_is_refused_and_nothing_written(repositories: AptRepositories, root: Path) -> None:
    before = files_of(root)
    with pytest.raises(Refused) as refused:
        repositories.enable("example.org_debian-bookworm-main-contrib")
    assert refused.value.reason == "AlreadyEnabled"
    with pytest.raises(Refused) as refused:
        repositories.disable("example.net_b-stable-main")
    assert refused.value.reason == "AlreadyDisabled"
    assert files_of(root) == before


def test_a_changed_line_keeps_its_options_and_its_remark(repositories: AptRepositories, root: Path) -> None:
    changed = repositories.change(
        "example.org_debian-bookworm-main-contrib",
        "https://mirror.example.net/d",
        {"dist": "trixie", "comps": ["main"]},
    )
    assert changed.repo_id == "mirror.example.net_d-trixie-main"
    assert repositories.get(changed.repo_id) == changed
    line = (
        "deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://mirror.example.net/d trixie main  # with a remark"
    )
    wanted = LIST.splitlines()
    wanted[1] = line
    assert files_of(root)["etc/apt/sources.list"].splitlines() == wanted


def test_what_was_read_and_is_sent_back_changes_nothing(repositories: AptRepositories, root: Path) -> None:
    before = files_of(root)
    for each in repositories.list():
        assert repositories.change(each.repo_id, each.baseurl, each.config) == each
    assert files_of(root) == before


def test_a_stanza_that_is_changed_keeps_all_else(repositories: AptRepositories, root: Path) -> None:
    repositories.change("example.net_b-stable-main", config={"comps": ["main", "extra"]})
    wanted = SOURCES.replace("Suites: stable\nComponents: main\n", "Suites: stable\nComponents: main extra\n")
    assert files_of(root)["etc/apt/sources.list.d/more.sources"] == wanted


def test_a_new_one_has_a_file_of_its_own_which_goes_with_it(repositories: AptRepositories, root: Path) -> None:
    before = files_of(root)
    added = repositories.add("https://deb.example.com/x", {"dist": "stable", "comps": ["main"]}, repo_id="example")
    assert (added.repo_id, added.enabled) == ("example", True)
    assert files_of(root)["etc/apt/sources.list.d/example.sources"] == (
        "X-Repository-Id: example\nTypes: deb\nURIs: https://deb.example.com/x\nSuites: stable\nComponents: main\n"
    )
    assert repositories.change("example", "https://deb.example.com/y").repo_id == "example"
    repositories.delete("example")
    assert files_of(root) == before


def test_a_path_has_no_components_and_a_suite_has_main_unless_others_are_named(repositories: AptRepositories) -> None:
    assert repositories.add("file:///srv/flat", {"dist": "./"}).config == {"dist": "./", "comps": []}
    assert repositories.add("file:///srv/deep", {"dist": "sid"}).config == {"dist": "sid", "comps": ["main"]}
    with pytest.raises(Refused):
        repositories.add("file:///srv/other", {"dist": "x/", "comps": ["main"]})


def test_apt_itself_reads_what_was_written(repositories: AptRepositories, root: Path) -> None:
    repositories.add("https://deb.example.com/x", {"dist": "stable", "comps": ["main"]}, repo_id="example")
    repositories.disable("example.com_debian-trixie_trixie-updates-main-non-free")
    repositories.disable("packages.example.org_8443_tool")
    done = subprocess.run(
        ["apt-get", "-o", f"Dir={root}", "-o", "Dir::Etc::Parts=/none", "update", "--print-uris"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        check=True,
    )
    asked_for = [line.split()[0].strip("'") for line in done.stdout.splitlines()]
    assert {address for address in asked_for if address.endswith("InRelease")} == {
        "http://example.org/debian/dists/bookworm/InRelease",
        "https://deb.example.com/x/dists/stable/InRelease",
    }
    assert done.stderr == ""


def test_deleting_leaves_every_foreign_line(repositories: AptRepositories, root: Path) -> None:
    for each in repositories.list():
        repositories.delete(each.repo_id)
    assert repositories.list() == ()
    assert files_of(root)["etc/apt/sources.list"] == (
        "# The machine's own sources. deb lines below are for the desk.\n"
        "deb-src [signed-by=/usr/share/keyrings/a.gpg] http://example.org/debian bookworm main\n\n"
    )
    assert files_of(root)["etc/apt/sources.list.d/more.sources"].strip() == "# alone"


def test_one_unreadable_file_hides_no_other(
    repositories: AptRepositories, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = root / "etc/apt/sources.list.d"
    whole = repositories.list()
    (folder / "broken.sources").write_text("this isn't deb822\n")
    (folder / "binary.list").write_bytes(b"\xff\x00\xfe\n")
    (folder / "folder.list").mkdir()
    os.mkfifo(folder / "pipe.list")
    (folder / "dangling.sources").symlink_to("nowhere")
    (folder / "ignored.list.save").write_text("deb http://example.org/no bookworm main\n")
    (folder / "loop.list").symlink_to("loop.list")
    with caplog.at_level(logging.WARNING):
        assert repositories.list() == whole
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert all(name in told for name in ("broken.sources", "folder.list", "pipe.list"))


def test_the_same_entry_twice_has_two_ids(repositories: AptRepositories, root: Path) -> None:
    (root / "etc/apt/sources.list").write_text("deb http://a.org/d x main\ndeb http://a.org/d x main\n")
    repositories.disable("a.org_d-x-main-2")
    assert (root / "etc/apt/sources.list").read_text() == "deb http://a.org/d x main\n# deb http://a.org/d x main\n"


def test_bytes_that_are_no_text_are_shown_as_such_and_survive(repositories: AptRepositories, root: Path) -> None:
    file = root / "etc/apt/sources.list"
    file.write_bytes(b"# \xff\ndeb http://a.org/\xff d\xfe m\xfd\n")
    shown = repositories.get("a.org-d-m")
    assert (shown.baseurl, shown.config) == ("http://a.org/�", {"dist": "d�", "comps": ["m�"]})
    assert repositories.change(shown.repo_id, shown.baseurl, shown.config) == shown
    repositories.disable(shown.repo_id)
    assert file.read_bytes() == b"# \xff\n# deb http://a.org/\xff d\xfe m\xfd\n"


def test_a_password_is_never_shown_and_survives(repositories: AptRepositories, root: Path) -> None:
    (root / "etc/apt/sources.list").write_text("deb http://me:hush@a.org/d x main\n")
    shown = repositories.get("a.org_d-x-main")
    assert shown.baseurl == "http://me:…@a.org/d"
    repositories.change(shown.repo_id, shown.baseurl, {"dist": "y"})
    assert (root / "etc/apt/sources.list").read_text() == "deb http://me:hush@a.org/d y main\n"


def test_a_file_keeps_its_mode_and_its_owner(repositories: AptRepositories, root: Path) -> None:
    file = root / "etc/apt/sources.list"
    file.chmod(0o640)
    os.chown(file, 0, 12345)
    repositories.disable("packages.example.org_8443_tool")
    assert (file.stat().st_mode & 0o7777, file.stat().st_gid) == (0o640, 12345)
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


def test_a_link_is_followed_inside_of_the_root_only(repositories: AptRepositories, root: Path, tmp_path: Path) -> None:
    folder = root / "etc/apt/sources.list.d"
    (root / "etc/linked").write_text("deb http://in.org/d x main\n")
    (folder / "in.list").symlink_to("../../linked")
    repositories.disable("in.org_d-x-main")
    assert (folder / "in.list").is_symlink()
    assert (root / "etc/linked").read_text() == "# deb http://in.org/d x main\n"
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("deb http://out.org/d x main\n")
    (folder / "out.list").symlink_to(outside)
    with pytest.raises(Terminal, match="leads out of"):
        repositories.disable("out.org_d-x-main")
    assert outside.read_text() == "deb http://out.org/d x main\n"


@pytest.mark.parametrize(
    ("baseurl", "config", "reason"),
    [
        ("http://a.org/\ndeb http://evil.org x main", {"dist": "x"}, "BadUrl"),
        ("[trusted=yes] http://a.org/", {"dist": "x"}, "BadUrl"),
        ("http://a.org/ x", {"dist": "x"}, "BadUrl"),
        ("http://a.org/#x", {"dist": "x"}, "BadUrl"),
        ("gopher://a.org/", {"dist": "x"}, "BadUrl"),
        ("http:///nohost", {"dist": "x"}, "BadUrl"),
        ("http://[::1/", {"dist": "x"}, "BadUrl"),
        ("http://a.org:99999/", {"dist": "x"}, "BadUrl"),
        ("http://-a.org/", {"dist": "x"}, "BadUrl"),
        ("file://relative/path", {"dist": "x"}, "BadUrl"),
        ("copy:/etc", {"dist": "x"}, "BadUrl"),
        ("http://u:p@a.org/", {"dist": "x"}, "BadUrl"),
        ("http://a.org/\u0661", {"dist": "x"}, "BadUrl"),
        ("", {"dist": "x"}, "BadUrl"),
        (None, {"dist": "x"}, "BadUrl"),
        (7, {"dist": "x"}, "BadUrl"),
        ("http://a.org/" + "x" * 3000, {"dist": "x"}, "BadUrl"),
        ("http://a.org/d", {}, "DistMissing"),
        ("http://a.org/d", None, "DistMissing"),
        ("http://a.org/d", {"dist": "x main\nTrusted: yes"}, "BadDist"),
        ("http://a.org/d", {"dist": "x main"}, "BadDist"),
        ("http://a.org/d", {"dist": "../../x"}, "BadDist"),
        ("http://a.org/d", {"dist": "a/../../x"}, "BadDist"),
        ("http://a.org/d", {"dist": ""}, "BadDist"),
        ("http://a.org/d", {"dist": 5}, "BadDist"),
        ("http://a.org/d", {"dist": "x", "comps": "main"}, "BadComponents"),
        ("http://a.org/d", {"dist": "x", "comps": ["main\nTrusted: yes"]}, "BadComponents"),
        ("http://a.org/d", {"dist": "x", "comps": ["a b"]}, "BadComponents"),
        ("http://a.org/d", {"dist": "x", "comps": ["a", "a"]}, "BadComponents"),
        ("http://a.org/d", {"dist": "x", "comps": [[]]}, "BadComponents"),
        ("http://a.org/d", {"dist": "x", "gpgcheck": False}, "UnsupportedConfig"),
        ("http://a.org/d", {"dist": "x", "a\nb": 1}, "UnsupportedConfig"),
        ("http://a.org/d", ["dist"], "BadConfig"),
    ],
)
def test_hostile_input_is_refused_and_nothing_written(
    repositories: AptRepositories, root: Path, baseurl: str, config: dict[str, object], reason: str
) -> None:
    before = files_of(root)
    with pytest.raises(Refused) as refused:
        repositories.add(baseurl, config)
    assert refused.value.reason == reason
    if reason != "DistMissing" and baseurl is not None:
        with pytest.raises(Refused) as refused:
            repositories.change("packages.example.org_8443_tool", baseurl, config)
        assert refused.value.reason == reason
    assert files_of(root) == before


@pytest.mark.parametrize("repo_id", ["a/b", "../x", "..", ".hidden", "-x", "a b", "a\n", "", "main", "x" * 300, "é", 7])
def test_an_id_that_is_no_word_is_refused(repositories: AptRepositories, root: Path, repo_id: str) -> None:
    before = files_of(root)
    with pytest.raises(Refused) as refused:
        repositories.add("http://a.org/d", {"dist": "x"}, repo_id=repo_id)
    assert refused.value.reason == "BadRepositoryId"
    assert files_of(root) == before


def test_what_is_there_isnt_added_again(repositories: AptRepositories, root: Path) -> None:
    before = files_of(root)
    for address, config in (
        ("http://example.org/debian/", {"dist": "bookworm", "comps": ["main"]}),
        ("http://example.com/debian", {"dist": "trixie-updates", "comps": ["main"]}),
    ):
        with pytest.raises(Refused) as refused:
            repositories.add(address, config)
        assert refused.value.reason == "RepositoryExists"
    assert files_of(root) == before


def test_an_unknown_one_is_not_found(repositories: AptRepositories) -> None:
    for act in (repositories.get, repositories.enable, repositories.disable, repositories.delete, repositories.change):
        with pytest.raises(NotFound):
            act("no-such")


def test_a_host_without_any_tool_has_none(tmp_path: Path) -> None:
    assert open_repositories(tmp_path) is None


LINES = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "deb http://a.org/d x main",
            "# deb http://a.org/d y main # z",
            "  deb [ a=b ] http://b.org/ ./",
            "Types: deb",
            "URIs: http://c.org/",
            "Suites: x",
            "Components: main",
            "Enabled: no",
            "# remark",
            " more",
            "",
            "\r",
        ]
    ),
)
TEXTS = st.lists(LINES).map("\n".join)


@settings(max_examples=300)
@given(text=TEXTS)
def test_reading_and_writing_gives_the_same_bytes(text: str) -> None:
    assert OneLineFile(text).text() == text
    try:
        file = StanzaFile(text)
    except Terminal:
        return
    assert file.text() == text


@settings(max_examples=300)
@given(text=TEXTS)
def test_switching_entries_off_and_on_in_any_text_leaves_the_other_lines(text: str) -> None:
    lines = OneLineFile(text)
    for entry in lines.entries:
        if entry.enabled:
            entry.enable(False)
            assert not entry.enabled
            entry.enable(True)
    assert lines.text() == text
    try:
        stanzas = StanzaFile(text)
    except Terminal:
        return
    for stanza in stanzas.entries:
        stanza.enable(False)
        once = stanzas.text()
        stanza.enable(False)
        assert stanzas.text() == once
        stanza.enable(True)
        assert stanza.enabled

    def foreign(whole: str) -> list[str]:
        return [line for line in whole.split("\n") if line and not line.lower().startswith(("enabled", " "))]

    assert foreign(stanzas.text()) == foreign(text)
