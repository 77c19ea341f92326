"""The house keeps its shape: who may import whom, what a file may be called, and how long it may get.

The import contracts are declared in pyproject.toml; here they are run, and each is shown to refuse what it forbids.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

import api
from api.http.discovery import resource_classes
from api.http.endpoint import Resource

ROOT = Path(__file__).parents[1]
PACKAGES = ("specs", "reconciler", "api", "onggi")
GENERATED = set((ROOT / "specs").glob("*/spec.py"))  # nobody writes or reads these as files
PRODUCT = sorted({path for package in PACKAGES for path in (ROOT / package).rglob("*.py")} - GENERATED)
EVERYTHING = PRODUCT + sorted(
    path for folder in ("tests", "bench", "examples", "docs") for path in (ROOT / folder).rglob("*.py")
)
MOST_LINES = 450
MOST_LINES_OF_CASES = 600  # a file of tests is a list, and reads like one
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared", "core", "base"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_import_contracts_hold() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


FORBIDDEN = (
    ("specs/codecs.py", "import reconciler.errors"),
    ("specs/codecs.py", "import subprocess"),
    ("reconciler/planning/why.py", "import time"),
    ("reconciler/planning/why.py", "import reconciler.hypervisor.events"),
    ("reconciler/planning/why.py", "import reconciler.status.outcome"),
    ("reconciler/desired/load.py", "import libvirt"),
    ("reconciler/status/status.py", "import reconciler.loop.agent"),
    ("reconciler/applying/executor.py", "import reconciler.hypervisor.hypervisor"),
    ("reconciler/line/line.py", "import pygit2"),
    ("reconciler/loop/agent.py", "import sqlite3"),
    ("api/app.py", "import libvirt"),
    ("api/app.py", "import onggi.plugin"),
    ("reconciler/forges/client.py", "import httpx"),
    ("api/vms/storages/media.py", "import ftplib"),
)


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said when everything that is forbidden has been done."""
    folder = tmp_path_factory.mktemp("forbidden")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for module, line in FORBIDDEN:
        with (folder / module).open("a") as file:
            file.write(f"\n{line}\n")
    done = lint_imports(folder)
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize(("module", "line"), FORBIDDEN)
def test_the_contracts_refuse(module: str, line: str, refusals: str) -> None:
    importing, imported = module.removesuffix(".py").replace("/", "."), line.removeprefix("import ")
    assert re.search(rf"^\W*{re.escape(importing)} -> {re.escape(imported)} \(", refusals, re.MULTILINE), refusals


def circle(*packages: str) -> list[str]:
    """Modules of which each imports the next, up to the first again: anywhere in it, and also for its types alone."""
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=False, cache_dir=None)
    try:
        TopologicalSorter({each: graph.find_modules_directly_imported_by(each) for each in graph.modules}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_no_module_comes_back_to_itself_through_what_it_imports() -> None:
    found = circle(*PACKAGES)
    assert not found, (
        f"a circle: {' → '.join(found)}; give one of them what it reaches for, or put what two of them share into a "
        "module of its own"
    )


@pytest.mark.parametrize(
    ("back", "closed"),
    [
        ("import os", False),
        ("import roundabout", False),
        ("import roundabout.a", True),
        ("from roundabout import a", True),
        ("from roundabout.a import X", True),
        ("if TYPE_CHECKING:\n    from roundabout.a import X", True),
        ("def late():\n    from roundabout.a import X", True),
    ],
)
def test_a_circle_is_found_and_named(back: str, closed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roundabout").mkdir()
    for name, source in {
        "__init__": "",
        "a": "from roundabout import b",
        "b": "import roundabout.c",
        "c": back,
    }.items():
        (tmp_path / "roundabout" / f"{name}.py").write_text(f"{source}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = circle("roundabout")
    ways = {("roundabout.a", "roundabout.b"), ("roundabout.b", "roundabout.c"), ("roundabout.c", "roundabout.a")}
    assert set(pairwise(found)) == (ways if closed else set())


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_a_file_has_one_subject_and_a_name_that_says_which(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    most = MOST_LINES if path in PRODUCT else MOST_LINES_OF_CASES
    assert lines <= most, f"{lines} lines: look for the second noun in this file, and give it a file of its own"
    assert path.stem not in SAYS_NOTHING, "this name says nothing: name the file after what it is about"
    assert path.parent.name not in SAYS_NOTHING, "this folder's name says nothing: name it after what it is about"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_opens_with_why_it_exists(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), (
        "open with a docstring: why this exists, what it leaves to others"
    )


# The API by noun

NO_NOUN = {"http", "documents"}  # the frame, and what stands for documents whichever noun they are
OF_ALL = {"/", "/openapi.json"}  # these tell of all nouns, as /docs does, and lie there
FOLDERS = sorted(path.parent for path in (ROOT / "api").rglob("__init__.py") if path.parent != ROOT / "api")


def test_nothing_lies_loose_at_the_root_of_the_api() -> None:
    assert {path.stem for path in (ROOT / "api").glob("*.py")} == {"__init__", "app", "errors", "server", "services"}


@pytest.mark.parametrize("folder", [each for each in FOLDERS if each.name not in NO_NOUN], ids=name_of)
def test_a_noun_of_the_api_has_what_answers(folder: Path) -> None:
    assert (folder / "resource.py").exists(), "a folder here is a noun of URIs: declare what answers in its resource.py"


def test_no_noun_of_the_api_looks_back_at_one_that_looks_at_it() -> None:
    looked_at: dict[str, set[str]] = {}
    for path in (ROOT / "api").rglob("*.py"):
        part = path.relative_to(ROOT / "api").parts[0].removesuffix(".py")
        for each in ast.walk(ast.parse(path.read_text())):
            if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("api."):
                looked_at.setdefault(part, set()).add(str(each.module).split(".")[1])
    for part, others in looked_at.items():
        others.discard(part)
    assert list(TopologicalSorter(looked_at).static_order()), "raises CycleError with the nouns that look at each other"


@pytest.mark.parametrize("path", sorted((ROOT / "api").rglob("*.py")), ids=name_of)
def test_an_endpoint_uses_what_it_is_given_and_reaches_for_nothing_behind_it(path: Path) -> None:
    reached = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Attribute)]
    lines = [each.lineno for each in reached if each.attr == "agent"]
    assert not lines, f"lines {lines}: name what you need in `Serving`, typed, instead of asking its agent for it"


@pytest.mark.parametrize("resource", resource_classes(), ids=lambda each: each.address)
def test_an_address_is_declared_in_the_folders_that_it_names(resource: type[Resource]) -> None:
    named = [part for part in resource.address.split("/") if part and "{" not in part]
    folders = resource.__module__.split(".")[1:-1]
    if resource.address in OF_ALL:
        assert folders == ["docs"]
        return
    assert folders == named[: len(folders)], "the folder of a noun is called as in its URIs"
    further = named[len(folders) :]
    deeper = Path(api.__path__[0]).joinpath(*folders, *further[:1])
    assert not further or not deeper.is_dir(), f"it belongs into {name_of(deeper)}"
