"""What an editor and a commit check are what is checked anyway, for whoever has them set up."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
WRITTEN = sorted(
    path
    for folder in ("onggi", "specs", "reconciler", "api", "bench", "docs", "examples", "setup", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".sh", ".toml", ".yaml", ".json", ".css"} and "__pycache__" not in path.parts
)
KEPT_AS_THEY_WERE = {"corpus", "golden", "tools", "node_devices", "specification"}  # as .editorconfig says


def linted() -> list[str]:
    """The commands that `make lint` runs once everything is installed."""
    told = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [line for line in told.splitlines() if line.startswith(".venv/")]
    return [line for line in commands if "pip" not in line]


def test_the_hooks_are_the_projects_own_and_fetch_nothing() -> None:
    assert [repo["repo"] for repo in HOOKS] == ["local"]
    assert {hook["language"] for hook in HOOKS[0]["hooks"]} == {"system"}


def test_the_hooks_are_what_lint_runs() -> None:
    assert [hook["entry"] for hook in HOOKS[0]["hooks"]] == linted()


@pytest.mark.parametrize("hook", HOOKS[0]["hooks"], ids=lambda hook: str(hook["id"]))
def test_a_hooks_program_is_there(hook: dict[str, str]) -> None:
    program, *rest = shlex.split(hook["entry"])
    words = [program, *rest[:2], "--version"] if rest[:1] == ["-m"] else [program, "--help"]
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0


def test_files_are_written_as_the_editorconfig_says() -> None:
    def faults(path: Path) -> list[str]:
        text = path.read_bytes().decode()
        found = {
            "a carriage return": "\r" in text,
            "no newline at its end": bool(text) and not text.endswith("\n"),
            "blanks at the end of a line": re.search(r"[ \t]$", text, re.MULTILINE) is not None,
        }
        return [f"{path.relative_to(ROOT)} has {fault}" for fault, there in found.items() if there]

    own = [path for path in WRITTEN if not KEPT_AS_THEY_WERE & set(path.relative_to(ROOT).parts)]
    assert len(own) > 100
    assert [fault for path in own for fault in faults(path)] == []
