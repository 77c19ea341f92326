"""Verbs that need neither libvirt nor XML nor git don't wait for them to load, nor a plan for what changes a host."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from reconciler.version import VERSION
from tests.cli.command import Onggi
from tests.lab.repositories import Repository

HEAVY = ("libvirt", "lxml", "pygit2", "falcon", "uvicorn", "rich", "pycdlib", "httpx", "watchdog", "prometheus_client")
FIRST_SET = Path(__file__).parents[2] / "reconciler/cli/first_set"

WATCH = """
import sys
from reconciler.cli.main import main
sys.argv[1:] = {words!r}
main()
print("LOADED", *sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["version"],
        ["explain", "vm.disks"],
        ["schema", "network"],
        ["completion", "zsh"],
        ["validate", str(FIRST_SET / "vms"), str(FIRST_SET / "networks/lab.yaml")],
        ["status"],
        ["get", "vm"],
        ["get", "vm", "-o", "yaml"],
        ["events"],
        ["drift"],
    ],
    ids=" ".join,
)
def test_light_verbs_load_nothing_heavy(words: list[str], onggi: Onggi) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH.format(words=words, heavy=set(HEAVY))],
        env=onggi.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1].split() == ["LOADED"]


@pytest.mark.parametrize("words", [["--help"], ["plan", "--help"], ["completion", "zsh"], ["status"]], ids=" ".join)
def test_verbs_that_read_no_document_load_nothing_to_read_them_with(words: list[str], onggi: Onggi) -> None:
    code = WATCH.format(words=words, heavy={"yaml", "jsonschema_rs", "specs.document", "subprocess"})
    done = subprocess.run([sys.executable, "-c", code], env=onggi.env, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1].split() == ["LOADED"]


# What belongs to doing, to asking a host more than how its objects are, and to telling what came of it.
DOING = (
    "reconciler.applying.executor",
    "reconciler.applying.performing",
    "reconciler.network.exchange",
    "reconciler.hypervisor.queries",
    "reconciler.hypervisor.host.devices",
    "reconciler.hypervisor.commands",
    "reconciler.hypervisor.handlers",
    "reconciler.hypervisor.storagevolume.volumes",
    "ctypes",
    "httpx",
    "pycdlib",
)
TELLING = (
    "reconciler.line.convergence",
    "reconciler.line.noted_status",
    "reconciler.status.drift",
    "reconciler.status.status",
)
ACTING = DOING + TELLING

# What only a document with a mistake in it needs.
EXPLAINING = ("re2", "jsonschema")


@pytest.mark.parametrize("module", [*ACTING, *EXPLAINING])
def test_what_is_watched_for_is_there_to_be_loaded(module: str) -> None:
    assert find_spec(module) is not None, "it has moved: the test below would watch for nothing"


def test_a_plan_loads_nothing_that_acts(onggi: Onggi, private_test_uri: str) -> None:
    words = ["plan", str(FIRST_SET), "--connect", private_test_uri]
    code = WATCH.format(words=words, heavy={*ACTING, *EXPLAINING, "reconciler.planning.planner"})
    done = subprocess.run([sys.executable, "-c", code], env=onggi.env, capture_output=True, text=True, check=True)
    assert "to create" in done.stdout
    assert done.stderr.splitlines()[-1].split() == ["LOADED", "reconciler.planning.planner"]


def test_an_apply_that_finds_nothing_to_do_loads_nothing_to_do_it_with(
    onggi: Onggi, private_test_uri: str, tmp_path: Path
) -> None:
    nothing = Repository(tmp_path / "repository")
    nothing.commit({})
    words = ["apply", str(nothing.path), "--connect", private_test_uri, "--state", str(tmp_path / "state"), "--yes"]
    code = WATCH.format(words=words, heavy={*DOING, *EXPLAINING, "reconciler.line.noted_status"})
    done = subprocess.run([sys.executable, "-c", code], env=onggi.env, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1].split() == ["LOADED", "reconciler.line.noted_status"]


# What an agent needs that answers clients, tells a forge or has sync windows; `html` has a table of half a megabyte.
ANSWERING = (
    "api",
    "asyncio",
    "falcon",
    "html",
    "pycdlib",
    "reconciler.exporting",
    "reconciler.forges.reports",
    "reconciler.host.facts",
    "reconciler.identity.logins",
    "reconciler.identity.sessions",
    "reconciler.reporting.plan_markdown",
    "reconciler.serving",
    "reconciler.writing",
    "uvicorn",
    "zoneinfo",
)

# Ends the agent as soon as its first pass is through.
ENDING = """
import os, signal
from reconciler.loop.loop import Loop
begin = Loop._begin
def ended(self, now):
    begin(self, now)
    os.kill(os.getpid(), signal.SIGTERM)
Loop._begin = ended
"""


@pytest.mark.parametrize("module", ANSWERING)
def test_what_an_agent_is_watched_for_is_there_to_be_loaded(module: str) -> None:
    assert find_spec(module) is not None, "it has moved: the test below would watch for nothing"


def test_an_agent_that_answers_nobody_loads_nothing_to_answer_with(
    onggi: Onggi, private_test_uri: str, tmp_path: Path
) -> None:
    words = ["run", str(FIRST_SET), "--connect", private_test_uri, "--state", str(tmp_path / "state")]
    code = ENDING + WATCH.format(words=words, heavy={*ANSWERING, "reconciler.applying.executor"})
    done = subprocess.run([sys.executable, "-c", code], env=onggi.env, capture_output=True, text=True, check=True)
    assert "ready at" in done.stderr
    assert done.stderr.splitlines()[-1].split() == ["LOADED", "reconciler.applying.executor"]


def test_the_version_loads_no_more_than_the_command_line_itself(onggi: Onggi) -> None:
    code = WATCH.format(
        words=["version"], heavy={"yaml", "sqlite3", "logging", "tomllib", "specs", "importlib.metadata"}
    )
    done = subprocess.run([sys.executable, "-c", code], env=onggi.env, capture_output=True, text=True, check=True)
    assert done.stdout == f"onggi {VERSION}\n"
    assert done.stderr.split() == ["LOADED"]


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION


def test_the_version_goes_to_scripts_too(onggi: Onggi) -> None:
    assert onggi("version", "-o", "json").json == {"version": VERSION}
