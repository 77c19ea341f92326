"""What storage servers offer: asked of a real nfs-ganesha and a real tgt, in a namespace that the test makes."""

from __future__ import annotations

import json
import socket

import pytest

from reconciler.errors import Refused, Terminal, Unsupported
from reconciler.host.addresses import checked_host, checked_port
from reconciler.host.commands import TooSlow
from reconciler.host.storage_servers import ISCSI, ISCSI_LS, NETFS, StorageServers, _exported
from reconciler.network.addresses import Networks
from reconciler.network.connecting import NotAllowed
from tests.host.namespaces import Namespace, namespace
from tests.host.storage_network import exported, iscsi, network, silent, start_silent
from tests.network.misbehaving import misbehaving, says

__all__ = ["exported", "iscsi", "network", "silent"]

TARGETS = """
import json, sys
from dataclasses import astuple
from reconciler.host.storage_servers import StorageServers
found = StorageServers(timeout_s=60).targets(sys.argv[1], *(json.loads(each) for each in sys.argv[2:]))
print(json.dumps([astuple(each) for each in found]))
"""


def targets(network: Namespace, host: str, *arguments: str | int | None) -> list[list[str]]:
    found: list[list[str]] = json.loads(network.python(TARGETS, host, *map(json.dumps, arguments)))
    return found


def test_the_exports_of_an_nfs_server_are_found(network: Namespace, exported: list[str]) -> None:
    wanted = [["127.0.0.1", "nfs", path] for path in exported]
    assert targets(network, "127.0.0.1", NETFS) == wanted
    assert targets(network, "127.0.0.1") == wanted


def test_the_targets_of_an_iscsi_server_are_found(network: Namespace, iscsi: list[str]) -> None:
    assert targets(network, "127.0.0.1", ISCSI) == [["127.0.0.1", "iscsi", name] for name in iscsi]
    both = targets(network, "localhost", None, "3260")
    assert [each for each in both if each[1] == "iscsi"] == [["localhost", "iscsi", name] for name in iscsi]


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_server_is_asked_too(network: Namespace, iscsi: list[str], host: str) -> None:
    assert targets(network, host, ISCSI, 3261) == [["::1", "iscsi", name] for name in iscsi]


def test_a_server_that_isnt_there_offers_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert StorageServers(timeout_s=60).targets("127.0.0.1", ISCSI, unused.getsockname()[1]) == ()


def test_an_iscsi_server_that_never_answers_is_given_up(silent: int) -> None:
    servers = StorageServers(timeout_s=0.5)
    with pytest.raises(TooSlow):
        servers.iscsi_targets("127.0.0.1", silent)
    assert servers.targets("127.0.0.1", ISCSI, silent) == ()


ASK = """
from reconciler.host.commands import TooSlow
from reconciler.host.storage_servers import StorageServers
try:
    StorageServers(timeout_s=0.5).exports("127.0.0.1")
except TooSlow as error:
    print(error)
print(StorageServers(timeout_s=0.5).targets("127.0.0.1", "netfs"))
"""


def test_an_nfs_server_that_never_answers_is_given_up() -> None:
    with namespace() as alone:
        start_silent(alone)
        told, found = alone.python(ASK).splitlines()
        assert "showmount didn't come to an end within 0.5 s" in told
        assert found == "()"


@pytest.mark.parametrize(
    "host",
    [
        "-h", "--help", "a b", "a\nb", "a\x00b", "", ".", "a..b", "x" * 64, "a." * 200, "[::1", "::1%lo", "[127.0.0.1]",
        "a/b", "u@h", "h:1", "1:2:3", "é.org", "a;b", "$(x)", "h%20", None, 7,
    ],
)  # fmt: skip
def test_a_host_that_could_be_an_option_or_more_is_refused(host: str) -> None:
    for ask in (StorageServers().targets, StorageServers().exports, StorageServers().iscsi_targets):
        with pytest.raises(Refused) as refused:
            ask(host)
        assert refused.value.reason == "BadHost"


@pytest.mark.parametrize("port", [0, 65536, -1, "0", "99999", "3260 ", "-1", "x", "٣", True, 1.5, ""])
def test_a_port_that_cant_be_is_refused(port: int) -> None:
    with pytest.raises(Refused) as refused:
        StorageServers().targets("127.0.0.1", ISCSI, port)
    assert refused.value.reason == "BadPort"


def test_a_kind_that_there_isnt_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        StorageServers().targets("127.0.0.1", "scsi")
    assert refused.value.reason == "BadTargetType"


def test_names_and_addresses_are_taken_as_they_are() -> None:
    assert [checked_host(each) for each in ("nas", "nas.example.org.", "10.0.0.1", "FE80::1", "[::1]", "a_b-c")] == [
        "nas", "nas.example.org.", "10.0.0.1", "fe80::1", "::1", "a_b-c",
    ]  # fmt: skip
    assert [checked_port(each) for each in (1, "3260", 65535)] == [1, 3260, 65535]


def test_what_showmount_prints_is_read_whatever_stands_there() -> None:
    output = "/srv/a      10.0.0.0/8,host\n/srv/b c    (everyone)\n/alone\n\nodd line\n/\x1b[31mred x\n/srv/a *\n"
    assert list(_exported(output)) == ["/srv/a", "/srv/b c", "/alone", "/srv/a"]


def test_without_the_programs_one_kind_is_unsupported_and_both_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    servers = StorageServers()
    with pytest.raises(Unsupported, match="Debian package nfs-common"):
        servers.targets("127.0.0.1", NETFS)
    with pytest.raises(Unsupported, match="libiscsi-bin"):
        servers.targets("127.0.0.1", ISCSI)
    assert servers.targets("127.0.0.1") == ()
    assert not ISCSI_LS.present


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost", "169.254.169.254", "0.0.0.0"])
def test_this_machine_is_no_storage_server_unless_its_network_is_allowed(host: str) -> None:
    around = StorageServers(timeout_s=60, networks=Networks(private=True))
    with misbehaving(says(b"")) as server:
        for kind in (ISCSI, NETFS):
            with pytest.raises(NotAllowed, match="allowed-network"):
                around.targets(host, kind, server.port)
        assert not around.listens(host, server.port)
        assert server.came == 0


def test_what_is_wrong_with_a_server_is_told_to_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Terminal, match="the agent's log tells why") as refused:
            StorageServers(timeout_s=60).iscsi_targets("127.0.0.1", port)
    with pytest.raises(Terminal) as unknown:
        StorageServers(timeout_s=60).iscsi_targets("nobody.invalid", port)
    assert "refused" not in str(refused.value)
    assert "Connection refused" in caplog.text
    assert "isn't known" in caplog.text
    assert "Name or service" not in str(unknown.value)
