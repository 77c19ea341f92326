"""`onggi cert` makes what others reach the agent with, and `onggi run` is reached so, and not otherwise."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import Onggi
from tests.lab.repositories import Repository
from tests.lab.waiting import until

OUTSIDE = "192.0.2.5"  # an address in a network of the test's own
_IN_A_NETWORK_OF_ITS_OWN = f'ip link set lo up; ip address add {OUTSIDE}/32 dev lo; exec "$@"'


def names(certificate: Path) -> set[str]:
    words = ["openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName"]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return {each.strip() for each in told.splitlines()[1].split(",")}


def test_the_key_is_its_owners_alone_and_what_to_do_next_is_said(onggi: Onggi, tmp_path: Path) -> None:
    folder = tmp_path / "new/tls"
    done = onggi("cert", folder, "--name", "kvm1.example.org", "--name", OUTSIDE, "--name", "::1")
    assert done.code == 0, done.err
    assert f"--public-name kvm1.example.org --public-name {OUTSIDE} --public-name ::1 --tls-cert" in done.out
    assert f"--tls-cert {folder}/cert.pem --tls-key {folder}/key.pem" in done.out
    assert sorted(each.name for each in folder.iterdir()) == ["cert.pem", "key.pem"]
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert names(folder / "cert.pem") == {"DNS:kvm1.example.org", f"IP Address:{OUTSIDE}", "IP Address:0:0:0:0:0:0:0:1"}
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(folder / "cert.pem", folder / "key.pem")
    assert "PRIVATE" not in (folder / "cert.pem").read_text() + done.out + done.err


def test_without_names_it_is_for_the_hosts_own(onggi: Onggi, tmp_path: Path) -> None:
    assert onggi("cert", tmp_path).code == 0
    assert {"DNS:localhost", "IP Address:127.0.0.1"} < names(tmp_path / "cert.pem")


@pytest.mark.parametrize("there", ["cert.pem", "key.pem"])
def test_what_is_there_stays_unless_it_is_said(onggi: Onggi, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    done = onggi("cert", tmp_path)
    assert (done.code, (tmp_path / there).read_text()) == (1, "mine")
    assert "is there already; put new ones in its place with --force" in done.err
    assert onggi("cert", tmp_path, "--force").code == 0
    assert (tmp_path / there).read_text().startswith("-----BEGIN")


def test_a_link_is_replaced_and_not_followed(onggi: Onggi, tmp_path: Path) -> None:
    (other := tmp_path / "other").write_text("mine")
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/key.pem").symlink_to(other)
    assert onggi("cert", tmp_path / "tls").code == 1
    assert onggi("cert", tmp_path / "tls", "--force").code == 0
    assert other.read_text() == "mine" and not (tmp_path / "tls/key.pem").is_symlink()


@pytest.mark.parametrize("name", ["https://kvm1", "kvm1:8443", "a,DNS:b", "a\nIP.9 = 1.2.3.4", "-x", ""])
def test_what_is_no_name_is_refused(onggi: Onggi, tmp_path: Path, name: str) -> None:
    done = onggi("cert", tmp_path / "tls", f"--name={name}")
    assert done.code == 1 and "neither a host's name nor an address" in done.err
    assert not (tmp_path / "tls").exists()


def test_without_the_program_that_makes_them_it_is_said(onggi: Onggi, tmp_path: Path) -> None:
    done = onggi("cert", tmp_path / "tls", PATH=str(tmp_path))
    assert done.code == 1 and "install the package openssl" in done.err
    assert not list((tmp_path / "tls").iterdir())


def test_an_agent_is_reached_from_outside_by_its_names_with_tls_and_a_login(
    onggi: Onggi, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({}, "Begin")
    assert onggi("cert", tmp_path / "tls", "--name", OUTSIDE, "--name", "kvm1.example.org").code == 0
    certificate = tmp_path / "tls/cert.pem"
    onggi.command = ["unshare", "--net", "sh", "-euc", _IN_A_NETWORK_OF_ITS_OWN, "sh", *onggi.command]
    process = onggi.start(
        "run", repository.path, "--connect", "test:///default", "--state", tmp_path / "state", "--listen",
        "0.0.0.0:8443", "--auth", "pam", "--tls-cert", certificate, "--tls-key", certificate.with_name("key.pem"),
    )  # fmt: skip

    def asked(path: str, name: str = OUTSIDE, *more: str) -> tuple[int, str]:
        """What somebody in that network is answered."""
        words = [
            "nsenter", f"--net=/proc/{process.pid}/ns/net", "curl", "--silent", "--cacert", certificate, "--noproxy",
            "*", "--resolve", f"{name}:8443:{OUTSIDE}", "--write-out", "\n%{http_code}", *more,
            f"https://{name}:8443{path}",
        ]  # fmt: skip
        body, _, status = subprocess.run(words, capture_output=True, text=True, timeout=120).stdout.rpartition("\n")
        return int(status or 0), body

    try:
        until(lambda: asked("/healthz")[0] == 200, 120, "the agent is healthy")
        status, body = asked("/vms")
        assert (status, json.loads(body)["reason"][:12]) == (401, "KCHAUTH0002E")
        assert asked("/healthz", "kvm1.example.org")[0] == 403  # proves itself, and wasn't said to be called so
        assert "--public-name" in asked("/healthz", "kvm1.example.org")[1]
    finally:
        process.terminate()
        _, told = process.communicate(timeout=60)
    assert "serving on https://0.0.0.0:8443" in told


def test_an_agent_without_login_or_tls_stays_on_this_machine(onggi: Onggi, repository: Repository) -> None:
    for words, said in (
        ((), "give a login (--auth pam, ldap, oidc or proxy) and TLS (--tls-cert and --tls-key"),
        (("--auth", "pam"), "give TLS (--tls-cert and --tls-key; `onggi cert` makes both)"),
        (
            ("--tls-cert", "c", "--tls-key", "k"),
            "give a login (--auth pam, ldap, oidc or proxy), or listen on 127.0.0.1:8443",
        ),
        (("--auth", "pam", "--tls-cert", "c", "--tls-key", "k"), "The tls-cert c can't be read"),
    ):
        done = onggi("run", repository.path, "--listen", "0.0.0.0:8443", *words)
        assert done.code == 1 and said in done.err, done.err


def test_who_says_in_words_that_it_goes_without_is_served_and_told_what_that_means(
    onggi: Onggi, repository: Repository, tmp_path: Path
) -> None:
    repository.commit({}, "Begin")
    onggi.command = ["unshare", "--net", "sh", "-euc", _IN_A_NETWORK_OF_ITS_OWN, "sh", *onggi.command]
    words = ("run", repository.path, "--connect", "test:///default", "--state", tmp_path / "state")
    half = (*words, "--listen", f"{OUTSIDE}:8443", "--expose-without", "login")
    assert "which takes a login and TLS; give TLS" in onggi(*half).err
    process = onggi.start(*half, "--expose-without", "tls")

    def is_healthy() -> bool:
        outside = ["nsenter", f"--net=/proc/{process.pid}/ns/net"]
        command = [*outside, "curl", "--silent", "--fail", "--noproxy", "*", f"http://{OUTSIDE}:8443/healthz"]
        return subprocess.run(command, capture_output=True, timeout=120).returncode == 0

    try:
        until(is_healthy, 120, "the agent is healthy")
    finally:
        process.terminate()
        _, told = process.communicate(timeout=60)
    assert f"whoever reaches http://{OUTSIDE}:8443 is an administrator" in told
    assert f"whoever is on the way to http://{OUTSIDE}:8443 reads and changes all" in told
