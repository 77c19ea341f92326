"""A Unix socket: the kernel says who asks, and nobody else than root and one group may."""

from __future__ import annotations

import grp
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import libvirt
import pytest

from api.app import create_app
from api.server import Server
from reconciler.confined.unix_socket import UnixSocket
from reconciler.errors import SettingsError
from tests.api.live import LiveApi, live_api
from tests.api.test_server import Agent
from tests.lab.other_user import OTHER, THIRD, public_folder
from tests.lab.repositories import Repository, git

__all__ = ["public_folder"]  # a fixture

GROUP = "nogroup"  # every Debian has it
_ASK = """
import httpx, os, sys
path, user, *groups = sys.argv[1:]
with httpx.Client(transport=httpx.HTTPTransport(uds=path), trust_env=False) as client:
    os.setgroups([int(group) for group in groups])
    os.setgid(int(user))
    os.setuid(int(user))
    try:
        answer = client.post("http://localhost/networks", json={"name": f"by-{user}", "connection": "isolated"})
    except httpx.ConnectError as error:
        print("refused", error)
    else:
        print(answer.status_code)
"""


@contextmanager
def served(path: Path, group: str = "") -> Iterator[httpx.Client]:
    """A server on a socket alone, without an agent behind it."""
    server = Server(create_app(Agent(ready=True).services()), "", unix=UnixSocket(path, group))
    server.start()
    try:
        with httpx.Client(base_url="http://localhost", transport=httpx.HTTPTransport(uds=str(path))) as client:
            yield client
    finally:
        server.stop()


def asked_by(path: Path, user: int, *groups: int) -> str:
    """What a user of these groups is answered who wants a network."""
    words = [sys.executable, "-c", _ASK, str(path), *map(str, (user, *groups))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.fixture
def api(hand: libvirt.virConnect, repository: Repository, tmp_path: Path, public_folder: Path) -> Iterator[LiveApi]:
    repository.commit({}, "Begin")
    unix = UnixSocket(public_folder / "api.sock", GROUP)
    with live_api(repository, tmp_path / "state", unix=unix) as running:
        yield running


def test_who_asks_is_the_user_whom_the_kernel_names_and_the_commit_is_theirs(api: LiveApi, public_folder: Path) -> None:
    place = public_folder / "api.sock"
    assert asked_by(place, 0) == "201"
    assert asked_by(place, OTHER, grp.getgrnam(GROUP).gr_gid) == "201"
    assert git(api.repository.path, "log", "-2", "--format=%an").splitlines() == [f"uid {OTHER}", "root"]


def test_who_is_not_of_the_group_can_not_connect(api: LiveApi, public_folder: Path) -> None:
    assert asked_by(public_folder / "api.sock", THIRD).startswith("refused")
    assert api.client.get("/networks/by-64997").status_code == 404


def test_without_a_group_root_alone_may_connect(public_folder: Path) -> None:
    place = public_folder / "api.sock"
    with served(place) as client:
        assert client.get("/healthz").status_code == 200
        assert asked_by(place, OTHER, grp.getgrnam(GROUP).gr_gid).startswith("refused")
        assert place.stat().st_mode & 0o777 == 0o600
    assert not place.exists()


def test_what_a_killed_agent_left_is_replaced(public_folder: Path) -> None:
    place = public_folder / "api.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    with served(place) as client:
        assert client.get("/healthz").status_code == 200


def test_two_agents_do_not_take_each_others_socket(public_folder: Path) -> None:
    place = public_folder / "api.sock"
    with served(place) as client:
        with pytest.raises(SettingsError, match="Somebody listens"), served(place):
            pass
        assert client.get("/healthz").status_code == 200


def test_a_file_that_is_no_socket_stays(public_folder: Path) -> None:
    place = public_folder / "api.sock"
    place.write_text("a letter")
    with pytest.raises(SettingsError, match="is no socket"), served(place):
        pass
    assert place.read_text() == "a letter"


def test_a_folder_that_others_may_write_is_refused(public_folder: Path) -> None:
    (public_folder / "open").mkdir()
    (public_folder / "open").chmod(0o777)
    with pytest.raises(SettingsError, match="may be changed by several users"), served(public_folder / "open/api.sock"):
        pass
    assert not list((public_folder / "open").iterdir())


@pytest.mark.parametrize(
    ("place", "group", "said"),
    [("missing/api.sock", "", "can't be entered"), ("a" * 200, "", "longer than"), ("api.sock", "no-such", "no group")],
)
def test_what_can_not_be_a_socket_is_told_with_the_remedy(
    public_folder: Path, place: str, group: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said), served(public_folder / place, group):
        pass
    assert not list(public_folder.iterdir())


def test_a_web_page_gets_no_further_by_a_socket(public_folder: Path) -> None:
    with served(public_folder / "api.sock") as client:
        assert client.get("/healthz", headers={"Host": "evil.example"}).status_code in (200, 403)
        assert client.post("/networks", headers={"Origin": "http://evil.example"}, json={}).status_code == 403
