"""Commands without the start of an interpreter: each is a process of its own all the same."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab import forked


def test_a_command_has_the_arguments_the_folder_and_the_environment_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text("apiVersion: onggi/v1\nkind: Nothing\n")
    done = forked.run(["validate", "."], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout_s=60)
    assert done.returncode == 1
    assert done.stdout.startswith("vm.yaml:2:1: There is no kind `Nothing`")
    assert done.stderr == "onggi: 0 documents, 1 mistake\n"
    told = forked.run(["plan"], cwd=tmp_path, env={"ONGGI_REPOSITORY": "/no/where"}, timeout_s=60)
    assert "/no/where" in told.stderr


def test_it_is_the_command_that_an_interpreter_starts(tmp_path: Path) -> None:
    for words in (["version"], ["explain", "vm"], ["--help"], ["plan", "--no-such-option"], ["frobnicate"]):
        ours = forked.run(words, cwd=tmp_path, env=os.environ, timeout_s=60)
        new = subprocess.run([*forked.COMMAND, *words], cwd=tmp_path, env=os.environ, capture_output=True, text=True)
        assert (ours.returncode, ours.stdout, ours.stderr) == (new.returncode, new.stdout, new.stderr)


def test_several_run_beside_each_other_and_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    endless = ["run", str(tmp_path), "--connect", "test:///default", "--state", str(tmp_path / "state")]
    with ThreadPoolExecutor() as pool:
        hangs = pool.submit(forked.run, endless, cwd=tmp_path, env=os.environ, timeout_s=2)
        told = list(pool.map(lambda _: forked.run(["version"], cwd=tmp_path, env={}, timeout_s=60), range(4)))
        with pytest.raises(subprocess.TimeoutExpired):
            hangs.result()
    assert len({done.stdout for done in told}) == 1
    assert {done.returncode for done in told} == {0}
