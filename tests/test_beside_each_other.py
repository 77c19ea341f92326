"""Several workers: the tests on the machine's own libvirtd are a chain, those of each other file stay together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = 'pytest_plugins = ["tests.lab.libvirtd", "tests.lab.beside_each_other"]\n'
TEST = """
{mark}
@pytest.mark.parametrize("number", range(3))
def test_{name}(number, worker_id):
    print(f"\\nran {{worker_id}} {name}{{number}} {{os.getpriority(os.PRIO_PROCESS, 0)}}")
"""


def session(folder: Path, files: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """A session of pytest on these files."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = qemu\n")
    for name, text in files.items():
        (folder / name).write_text(f"import os\nimport pytest\n{text}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-rP", *options],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def test_one_worker_runs_the_chain_from_its_beginning_and_the_others_take_whole_files(tmp_path: Path) -> None:
    of = {name: TEST.format(mark="", name=name) for name in ("first", "second", "third", "fourth")}
    on_qemu = {name: TEST.format(mark="@pytest.mark.qemu", name=name) for name in ("early", "late")}
    files = {
        "test_a.py": of["first"] + on_qemu["early"], "test_b.py": of["second"], "test_c.py": of["third"],
        "test_d.py": on_qemu["late"] + of["fourth"],
    }  # fmt: skip
    done = session(tmp_path, files, "-n2", "--dist", "loadfile")
    assert done.returncode == 0, done.stdout
    workers: dict[str, set[str]] = {}
    ran = [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("ran ")]
    for worker, name in ran:
        workers.setdefault(name[:-1], set()).add(worker)
    assert len(ran) == 18
    assert all(len(each) == 1 for each in workers.values())
    assert workers["early"] == workers["late"]
    (of_the_chain,) = workers["early"]
    assert [name for worker, name in ran if worker == of_the_chain][:6] == [
        f"{name}{number}" for name in ("early", "late") for number in range(3)
    ]


def test_chains_run_beside_each_other_and_all_but_the_first_stand_back(tmp_path: Path) -> None:
    """A worker that is done with the first chain is like any other from then on."""
    marks = {"first": "@pytest.mark.qemu", "lab": '@pytest.mark.qemu\n@pytest.mark.chain("lab")', "other": ""}
    files = {f"test_{a}_{b}.py": TEST.format(mark=marks[a], name=f"{a}_{b}") for a in marks for b in ("one", "two")}
    done = session(tmp_path, files, "-n3", "--dist", "loadfile")
    assert done.returncode == 0, done.stdout
    ran = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("ran ")]
    assert len(ran) == 18
    for chain in ("first", "lab"):
        assert len({worker for worker, name, _ in ran if name.startswith(chain)}) == 1
    own = os.getpriority(os.PRIO_PROCESS, 0)
    niceness = {name[:-1]: int(nice) for _, name, nice in ran}
    for name, nice in niceness.items():
        assert nice == (own if name.startswith("first") else max(own, 5)), name


def test_tests_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = """
class Again(pytest.Module):
    def collect(self):
        return [*super().collect(), *super().collect()]

def pytest_pycollect_makemodule(module_path, parent):
    return Again.from_parent(parent, path=module_path)
"""
    (tmp_path / "again.py").write_text(f"import pytest\n{twice}")
    done = session(tmp_path, {"test_a.py": "def test_it():\n    pass\n"}, "-p", "again")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "several tests have the same name, give each its own: test_a.py::test_it" in done.stderr
