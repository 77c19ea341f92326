"""A remote: fetched with the user's own git, mirrored, and readable while it is away."""

from __future__ import annotations

import base64
import functools
import logging
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.errors import Cancelled, SourceError, StateError, Transient
from reconciler.source import limits
from reconciler.source.git_command import GitCommand, environment
from reconciler.source.location import Remote, parse_location
from reconciler.source.opening import open_source
from reconciler.source.remote import RemoteRepository
from reconciler.source.source import Source
from tests.lab.ports import free_port
from tests.source.repositories import WorkTree, eventually, git, network


@pytest.fixture(autouse=True)
def own_git_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """A work tree whose commits are pushed to the bare repository beside it."""
    tree = WorkTree(tmp_path / "work")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tree.path, "remote", "add", "origin", str(tmp_path / "remote.git"))
    return tree


def push(tree: WorkTree, *options: str) -> None:
    git(tree.path, "push", "--quiet", *options, "origin", "HEAD")


@pytest.fixture
def remote(tree: WorkTree, tmp_path: Path) -> Iterator[Source]:
    source = open_source(f"file://{tmp_path}/remote.git", state_dir=tmp_path / "state")
    yield source
    source.close()


def paths(source: Source) -> list[str]:
    return [file.path for file in source.read().files]


def test_a_push_is_seen_by_the_next_fetch(tree: WorkTree, remote: Source) -> None:
    first = tree.commit({"a.yaml": network("a")})
    push(tree)
    assert remote.is_remote
    assert remote.watch_paths() == ()
    assert str(remote.read().revision) == f"main@sha1:{first}"
    assert remote.fetch() is False
    tree.commit({"b.yaml": network("b")})
    push(tree)
    assert paths(remote) == ["a.yaml"]
    assert remote.fetch() is True
    assert paths(remote) == ["a.yaml", "b.yaml"]


def test_a_force_push_is_followed(tree: WorkTree, remote: Source) -> None:
    first = tree.commit({"a.yaml": network("a")})
    tree.commit({"b.yaml": network("b")})
    push(tree)
    assert paths(remote) == ["a.yaml", "b.yaml"]
    git(tree.path, "reset", "--quiet", "--hard", first)
    tree.commit({"c.yaml": network("c")})
    push(tree, "--force")
    assert remote.fetch() is True
    assert paths(remote) == ["a.yaml", "c.yaml"]


def test_only_the_chosen_branch_is_fetched(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    git(tree.path, "switch", "--quiet", "-c", "side/one")
    side = tree.commit({"side.yaml": network("side")})
    push(tree)
    source = open_source(f"file://{tmp_path}/remote.git", branch="main", state_dir=tmp_path / "state")
    assert paths(source) == ["a.yaml"]
    (mirror,) = (tmp_path / "state" / "mirrors").iterdir()
    assert git(mirror, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert subprocess.run(["git", "--git-dir", mirror, "cat-file", "-e", side], capture_output=True).returncode != 0
    other = open_source(f"file://{tmp_path}/remote.git", branch="side/one", path="", state_dir=tmp_path / "state")
    assert paths(other) == ["a.yaml", "side.yaml"]


def test_a_moved_default_branch_is_followed(tree: WorkTree, remote: Source, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    assert remote.read().revision.branch == "main"
    git(tree.path, "switch", "--quiet", "-c", "main-two/x")
    tree.commit({"b.yaml": network("b")})
    push(tree)
    git(tmp_path / "remote.git", "symbolic-ref", "HEAD", "refs/heads/main-two/x")
    assert remote.fetch() is True
    assert remote.read().revision.branch == "main-two/x"


def test_a_deleted_branch_names_the_others_and_is_not_read_from_the_mirror(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    git(tree.path, "switch", "--quiet", "-c", "prod")
    push(tree)
    source = open_source(f"file://{tmp_path}/remote.git", branch="prod", state_dir=tmp_path / "state")
    source.read()
    git(tree.path, "push", "--quiet", "origin", "--delete", "prod")
    for ask in (source.fetch, source.read):
        with pytest.raises(SourceError, match=r"no branch 'prod'; .* --branch: main"):
            ask()
    push(tree)
    assert paths(source) == ["a.yaml"]


def test_an_empty_remote_says_what_to_do(remote: Source) -> None:
    with pytest.raises(SourceError, match="no commit on its default branch; commit the documents there first"):
        remote.read()


def test_an_unreachable_remote_is_transient_and_its_last_revision_stays(
    tree: WorkTree, remote: Source, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    remote.read()
    (tmp_path / "remote.git").rename(tmp_path / "away.git")
    with pytest.raises(Transient, match="check the network"):
        remote.fetch()
    assert paths(remote) == ["a.yaml"]
    again = open_source(f"file://{tmp_path}/remote.git", state_dir=tmp_path / "state")
    with caplog.at_level(logging.WARNING):
        assert paths(again) == ["a.yaml"]
    assert "Going on with the revision that was fetched last" in caplog.text
    with pytest.raises(Transient):
        open_source(f"file://{tmp_path}/remote.git", state_dir=tmp_path / "other").read()
    (tmp_path / "away.git").rename(tmp_path / "remote.git")
    tree.commit({"b.yaml": network("b")})
    push(tree)
    assert remote.fetch() is True
    assert paths(remote) == ["a.yaml", "b.yaml"]


def test_a_damaged_mirror_is_made_anew(tree: WorkTree, remote: Source, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    remote.read()
    (mirror,) = (tmp_path / "state" / "mirrors").iterdir()
    assert mirror.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(mirror / "objects")
    (mirror / "HEAD").unlink()
    again = open_source(f"file://{tmp_path}/remote.git", state_dir=tmp_path / "state")
    assert paths(again) == ["a.yaml"]


def test_a_state_folder_that_cant_be_written_says_so(tree: WorkTree, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    (tmp_path / "state").write_text("a file in its place")
    with pytest.raises(StateError, match="can't be kept"):
        open_source(f"file://{tmp_path}/remote.git", state_dir=tmp_path / "state").read()


def test_a_hook_of_the_remote_or_the_mirror_never_runs(tree: WorkTree, remote: Source, tmp_path: Path) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    remote.read()
    (mirror,) = (tmp_path / "state" / "mirrors").iterdir()
    for repository in (mirror, tmp_path / "remote.git"):
        for name in ("reference-transaction", "post-checkout", "post-update", "pre-auto-gc"):
            hook = repository / "hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
            hook.chmod(0o755)
    (tmp_path / "ran").unlink(missing_ok=True)
    tree.write({"b.yaml": network("b")})
    git(tree.path, "add", "--all")
    git(tree.path, "commit", "--quiet", "-m", "b")
    git(tree.path, "-c", "core.hooksPath=/dev/null", "push", "--quiet", "origin", "HEAD")
    (tmp_path / "ran").unlink(missing_ok=True)
    assert remote.fetch() is True
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "location",
    [
        "-oProxyCommand=touch x",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "fd::17",
        "git://host/repo",
        "http://host/repo.git",
        "ftp://host/repo",
        "ssh://-oProxyCommand=touch/x",
        "ssh://host/x\nmore",
        "https://host/%0arepo",
        "-user@host:path",
        "user@-host:path",
        "file://elsewhere/repo",
        "https://",
        "https://host:port/x",
        "https://user:secret@host/x?token=secret",
        "ssh://user:secret@host/x",
        "git://user:secret@host/x",
        "",
    ],
)
def test_a_location_that_git_could_misread_is_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        open_source(location, state_dir=tmp_path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "branch", ["-h", "--upload-pack=x", "a..b", "a b", "a:b", "+a", "refs/heads/x", "x.lock", "/a", "a\n"]
)
def test_a_branch_that_isnt_one_is_refused(branch: str, tmp_path: Path) -> None:
    if branch == "+a":  # a plain name to git, and no option: the fetch names it in full
        open_source("ssh://host/x", branch=branch, state_dir=tmp_path)
        return
    with pytest.raises(SourceError, match="isn't the name of a branch"):
        open_source("ssh://host/x", branch=branch, state_dir=tmp_path)


def test_names_of_remotes_hold_no_credentials() -> None:
    remote = parse_location("https://ada:s3cr%40t@example.org:8443/a/b.git")
    assert isinstance(remote, Remote)
    assert remote.key == remote.url == "https://example.org:8443/a/b.git"
    assert "s3cr" not in repr(remote)
    env = environment(
        remote, {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c", "GIT_DIR": "x"}
    )
    assert env["GIT_CONFIG_COUNT"] == "2"
    assert env["GIT_CONFIG_KEY_1"] == "http.https://example.org:8443/.extraHeader"
    assert "GIT_DIR" not in env
    assert parse_location("git@example.org:a/b.git") == Remote("git@example.org:a/b.git", "git@example.org:a/b.git")
    assert parse_location("./with@colon:x") == "./with@colon:x"


def test_credentials_are_neither_in_errors_nor_in_arguments(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.listen()
        port = server.getsockname()[1]
        source = open_source(f"https://ada:hunter2@127.0.0.1:{port}/x.git", state_dir=tmp_path)
        failure: list[BaseException] = []
        thread = threading.Thread(target=lambda: failure.append(_error(source)))
        thread.start()
        connection, _ = server.accept()
        arguments = _arguments_of_all_processes()
        connection.close()
        thread.join()
    assert any(f"127.0.0.1:{port}/x.git" in line for line in arguments)
    assert not any("hunter2" in line for line in arguments)
    assert isinstance(failure[0], Transient)
    assert "hunter2" not in str(failure[0])
    assert "ada" not in str(failure[0])


def _error(source: Source) -> BaseException:
    with pytest.raises(Transient) as error:
        source.fetch()
    return error.value


def _arguments_of_all_processes() -> list[str]:
    lines = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                lines.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return lines


def test_a_server_that_never_answers_ends_with_the_timeout_or_with_close(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        remote = parse_location(f"https://127.0.0.1:{server.getsockname()[1]}/x.git")
        assert isinstance(remote, Remote)
        source = RemoteRepository(remote, branch="", sub_path="", state_dir=tmp_path, timeout_s=0.3)
        with pytest.raises(Transient, match=r"within 0\.3 s"):
            source.fetch()
        patient = RemoteRepository(remote, branch="", sub_path="", state_dir=tmp_path)
        raised: list[BaseException] = []

        def fetch() -> None:
            try:
                patient.fetch()
            except Cancelled as error:
                raised.append(error)

        thread = threading.Thread(target=fetch)
        thread.start()
        assert eventually(lambda: patient._git._process is not None)
        started = time.monotonic()
        patient.close()
        thread.join()
        assert time.monotonic() - started < 30  # its own time limit is a minute
        assert isinstance(raised[0], Cancelled)
        with pytest.raises(Cancelled):
            patient.fetch()


def test_the_transport_that_runs_programs_is_off_even_through_the_users_configuration(tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text(f'[url "ext::touch {tmp_path}/ran "]\n\tinsteadOf = https://evil/\n')
    git_command = GitCommand(Remote("https://evil/x", "https://evil/x"), timeout_s=60)
    with pytest.raises(Transient, match="not allowed"):
        git_command.run("ls-remote", "--end-of-options", "https://evil/x")
    assert not (tmp_path / "ran").exists()


class Sshd:
    """An ssh server on loopback with throwaway keys, serving this user's git."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.key = folder / "key"
        self.known_hosts = folder / "known_hosts"
        for key in (folder / "host", self.key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.port = free_port()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        (folder / "authorized").write_bytes((folder / "key.pub").read_bytes())
        settings = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": "none",
            "AuthorizedKeysFile": folder / "authorized", "StrictModes": "no", "UsePAM": "no",
            "PasswordAuthentication": "no", "PermitRootLogin": "yes",
        }  # fmt: skip
        (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        Path("/run/sshd").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL
        )
        assert eventually(self.answers)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "ssh")
    yield server
    server.process.terminate()
    server.process.wait()


def test_ssh_uses_the_users_own_key_and_never_asks(
    tree: WorkTree, tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    location = f"ssh://{user}@127.0.0.1:{sshd.port}{tmp_path}/remote.git"
    # Without the host's key and without a key of its own ssh would ask; it fails instead.
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -F /dev/null -o UserKnownHostsFile={tmp_path}/none -i {tmp_path}/none")
    with pytest.raises(Transient, match="Host key verification failed"):
        open_source(location, state_dir=tmp_path / "state").read()
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -F /dev/null -o UserKnownHostsFile={sshd.known_hosts} -i {sshd.key}")
    source = open_source(location, state_dir=tmp_path / "state")
    assert source.key == location
    assert paths(source) == ["a.yaml"]
    tree.commit({"b.yaml": network("b")})
    push(tree)
    assert source.fetch() is True
    assert paths(source) == ["a.yaml", "b.yaml"]
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"ssh -F /dev/null -p {sshd.port} -o UserKnownHostsFile={sshd.known_hosts} -i {sshd.key}"
    )
    short = open_source(f"{user}@127.0.0.1:{tmp_path}/remote.git", state_dir=tmp_path / "state")
    assert paths(short) == ["a.yaml", "b.yaml"]


class HttpsServer:
    """A web server on loopback with a certificate of its own, which asks for a password and serves files."""

    def __init__(self, folder: Path, served: Path, authorization: str) -> None:
        folder.mkdir()
        self.certificate = folder / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", folder / "key.pem", "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.headers.get("Authorization") == authorization:
                    super().do_GET()
                else:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="here"')
                    self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(served)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def https(tree: WorkTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    basic = base64.b64encode(b"ada:pass@word").decode()
    server = HttpsServer(tmp_path / "https", tmp_path, f"Basic {basic}")
    monkeypatch.setenv("GIT_SSL_CAINFO", str(server.certificate))
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_https_takes_a_password_from_the_url_or_from_the_users_helper(
    tree: WorkTree, tmp_path: Path, https: HttpsServer
) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    git(tmp_path / "remote.git", "update-server-info")
    source = open_source(f"https://ada:pass%40word@{https.host}/remote.git", state_dir=tmp_path / "one")
    assert paths(source) == ["a.yaml"]
    assert source.key == f"https://{https.host}/remote.git"
    (mirror,) = (tmp_path / "one" / "mirrors").iterdir()
    assert not any(b"pass" in file.read_bytes() for file in mirror.rglob("*") if file.is_file())
    plain = open_source(f"https://ada@{https.host}/remote.git", state_dir=tmp_path / "two")
    with pytest.raises(Transient, match="terminal prompts disabled"):
        plain.read()
    (tmp_path / "credentials").write_text(f"https://ada:pass%40word@{https.host}\n")
    with (tmp_path / "gitconfig").open("w") as configuration:
        configuration.write(f"[credential]\n\thelper = store --file={tmp_path}/credentials\n")
    assert paths(plain) == ["a.yaml"]


def test_a_git_that_started_us_doesnt_lead_ours_astray(
    tree: WorkTree, remote: Source, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tree.commit({"a.yaml": network("a")})
    push(tree)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, os.fspath(tmp_path / "elsewhere"))
    assert paths(remote) == ["a.yaml"]


@pytest.mark.parametrize("files", [1, 150], ids=["unpacked", "as a pack"])
def test_a_fetch_that_brings_too_much_is_ended_and_leaves_nothing(
    tree: WorkTree, remote: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    monkeypatch.setattr(limits, "_max_fetch", 1 << 20)
    head = tree.commit({f"{number}.bin": os.urandom((3 << 20) // files) for number in range(files)})
    push(tree)
    with pytest.raises(Transient, match=r"would bring more than 1 MiB, and was ended; .* --max-fetch"):
        remote.read()
    assert not [*tmp_path.rglob("tmp_pack_*"), *tmp_path.rglob("tmp_idx_*")]
    monkeypatch.setattr(limits, "_max_fetch", 8 << 20)
    assert str(remote.read().revision) == f"main@sha1:{head}"
