"""`onggi version -v`, with which a report of a bug begins, works where things are broken, and gives no secret away."""

from __future__ import annotations

import re
import socket
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from reconciler.cli.about import shown
from reconciler.hypervisor.host.versions import answering_at
from tests.cli.command import Onggi

DECLARED = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["dependencies"]


def test_it_tells_every_version_that_matters(onggi: Onggi) -> None:
    told = onggi("version", "-v", "-o", "json", "--connect", "test:///default").json
    for name in (re.split(r"[^\w-]", each)[0] for each in DECLARED):
        assert told["libraries"][name.lower()] == version(name)
    assert told["libvirt"]["server"].keys() == {"libvirt", "driver", "hypervisor"}
    assert told["libvirt"]["server"]["driver"] == "TEST"
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["libvirt"]["client"])
    assert told["python"]["version"].startswith("3.")
    assert all(told[key] for key in ("version", "folder", "git", "platform"))


def test_people_read_the_same(onggi: Onggi) -> None:
    text = onggi("version", "-v", "--connect", "test:///default").out
    assert re.search(r"^libvirt +[\d.]+ here; [\d.]+ at test:///default, TEST [\d.]+$", text, re.MULTILINE)
    assert re.search(r"^(settings)? +state = .*\(ONGGI_STATE\)$", text, re.MULTILINE)


def test_it_works_where_libvirtd_is_away_and_settings_cant_be_right(onggi: Onggi) -> None:
    away = f"qemu+unix:///system?socket={onggi.home}/away"
    for connect in (away, "nothing that is a URI"):
        done = onggi("version", "-v", "-o", "json", ONGGI_CONNECT=connect, ONGGI_INTERVAL="0s", ONGGI_LISTEN="none")
        assert done.code == 0, done.err
        assert done.json["libvirt"]["server"].keys() == {"problem"}
        assert {"key": "listen", "from": "ONGGI_LISTEN", "value": "none"} in done.json["settings"]
    assert "isn't there: " in onggi("version", "-v", "--connect", away).out
    assert onggi("version", ONGGI_CONNECT="nothing that is a URI").code == 0


def test_a_daemon_that_hangs_is_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        answer = answering_at(f"qemu+unix:///system?socket={tmp_path}/silent", 0.2)
    assert answer.problem == "no answer within 0.2 s"


def test_each_setting_says_where_it_is_said(onggi: Onggi) -> None:
    file = onggi.home / "onggi.toml"
    file.write_text('branch = "main"\nlisten = "127.0.0.1:1"\nallowed-folder = ["/srv"]\n')
    told = onggi("version", "-v", "-o", "json", "--connect", "test:///default", "--config", file, ONGGI_BRANCH="x").json
    said = {each["key"]: (each["from"], each["value"]) for each in told["settings"]}
    assert said["branch"] == ("ONGGI_BRANCH", "x")
    assert said["listen"] == (str(file), "127.0.0.1:1")
    assert said["allowed-folder"] == (str(file), ["/srv"])
    assert said["connect"] == ("the command line", "test:///default")
    assert "interval" not in said


SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"https://ada:{SECRET}@git.example.org/a.git", f"https://{SECRET}@git.example.org/a.git",
        f"https://ada:{SECRET}/@x@git.example.org/a.git", f"https://git.example.org/a.git?private_token={SECRET}",
        f"https://git.example.org/a.git#{SECRET}", f"https://ada:\n{SECRET}@git.example.org/",
    ],
)  # fmt: skip
def test_no_secret_of_a_url_is_shown(url: str, onggi: Onggi) -> None:
    for value in (url, [url], {"url": url}):
        assert SECRET not in str(shown(value))
    assert "git.example.org" in shown(url)


def test_no_secret_comes_along(onggi: Onggi) -> None:
    (onggi.home / "token").write_text(SECRET)
    done = onggi(
        "version", "-v",
        ONGGI_FORGE_TOKEN_FILE=str(onggi.home / "token"), ONGGI_SECRET_CONSOLE=SECRET,
        ONGGI_REPOSITORY=f"https://ada:{SECRET}@git.example.org/a.git", ONGGI_CONNECT=f"qemu+tcp://ada:{SECRET}@[/x",
    )  # fmt: skip
    assert done.code == 0
    assert SECRET not in done.out + done.err
    assert "token" in done.out
