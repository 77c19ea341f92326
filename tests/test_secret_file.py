"""Secrets in a file: read when needed, renewed without a restart, refused when others could have put them there."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from reconciler.errors import Terminal
from reconciler.secret_file import SecretFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("one\n")
    file.chmod(0o600)
    return file


def test_each_line_is_a_secret_and_a_changed_file_is_read_again(file: Path) -> None:
    secret = SecretFile(file, "webhook-secret-file")
    assert secret.secrets() == (b"one",)
    file.write_text("\n  new \r\n\none\n")
    assert secret.secrets() == (b"new", b"one")


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n"], ids=["empty", "blank"])
def test_an_empty_file_has_no_secret(file: Path, content: bytes) -> None:
    secret = SecretFile(file, "webhook-secret-file")
    assert secret.secrets()
    file.write_bytes(content)
    with pytest.raises(Terminal, match=r"webhook-secret-file .* is empty"):
        secret.secrets()


def test_a_missing_file_is_told_and_found_once_it_is_there(tmp_path: Path) -> None:
    secret = SecretFile(tmp_path / "later", "forge-token-file")
    with pytest.raises(Terminal, match=r"forge-token-file .* can't be read"):
        secret.secrets()
    (tmp_path / "later").write_text("here")
    assert secret.secrets() == (b"here",)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
def test_what_others_can_change_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Terminal, match="chmod 600"):
        SecretFile(file, "webhook-secret-file").secrets()


def test_what_others_can_read_is_told_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.chmod(0o644)
    secret = SecretFile(file, "webhook-secret-file")
    with caplog.at_level(logging.WARNING):
        assert secret.secrets() == secret.secrets() == (b"one",)
    assert [record.getMessage().count("chmod 600") for record in caplog.records] == [1]


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(Terminal):
            SecretFile(path, "webhook-secret-file").secrets()
