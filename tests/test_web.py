"""The browser's modules that need no browser, and how what browsers load is built."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab.web import ROOT, build_web, web

__all__ = ["web"]


def test_the_modules_that_need_no_browser_do_what_their_own_tests_say() -> None:
    done = build_web("--test")
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_built_from_the_same_is_left_as_it_is(web: Path) -> None:
    before = web.stat().st_ino
    assert build_web().returncode == 0
    assert web.stat().st_ino == before


def test_git_has_nothing_of_what_is_built(web: Path) -> None:
    built = [str(path) for path in web.rglob("*") if path.is_file()]
    done = subprocess.run(["git", "check-ignore", *built], cwd=ROOT, capture_output=True, text=True)
    assert sorted(done.stdout.split()) == sorted(built)
    assert not subprocess.run(["git", "ls-files", *built], cwd=ROOT, capture_output=True, text=True).stdout
