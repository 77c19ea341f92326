"""What is declared is used, what is used is declared, and what is installed is locked with hashes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
OWN = frozenset({"specs", "reconciler", "api", "onggi"})
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
DEV = [Requirement(each) for each in PROJECT["project"]["optional-dependencies"]["dev"]]
BUILD = [Requirement(each) for each in PROJECT["build-system"]["requires"]]
LOCKS = {"requirements.txt": RUN, "requirements-dev.txt": [*RUN, *DEV], "requirements-build.txt": BUILD}
# What another package loads by itself when it is there.
LOADED_BY_UVICORN = frozenset({"uvloop", "httptools"})


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in a lock."""
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / "setup" / name).read_text())
    found = {}
    for line in filter(str.strip, text.splitlines()):
        match = re.fullmatch(r"([\w.-]+)==([\w.]+)(?: ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+) *", line)
        assert match, f"{name} has more than packages and hashes: {line[:100]}"
        found[canonicalize_name(match[1])] = (match[2], match[3].count("--hash"))
    return found


def imported() -> set[str]:
    """The top-level modules that the program imports from elsewhere."""
    found = set()
    for path in (each for folder in OWN for each in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - OWN


def test_every_package_that_is_declared_is_used_and_the_other_way_round() -> None:
    known = packages_distributions()
    used = {canonicalize_name(each) for module in imported() for each in known[module]}
    declared = {canonicalize_name(each.name) for each in RUN}
    assert declared - used <= LOADED_BY_UVICORN
    assert used - declared == set()


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_has_everything_with_hashes_and_names_no_place(name: str) -> None:
    found = locked(name)
    for requirement in LOCKS[name]:
        version, _ = found[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: make lock"
    assert all(hashes for _, hashes in found.values())


def test_the_locks_agree() -> None:
    run, dev = locked("requirements.txt"), locked("requirements-dev.txt")
    assert {name: dev[name] for name in run} == run


def test_every_lower_bound_is_of_a_release_that_was_tried() -> None:
    run = locked("requirements.txt")
    for requirement in RUN:
        lower = next(each.version for each in requirement.specifier if each.operator == ">=")
        tried = Version(run[canonicalize_name(requirement.name)][0])
        if canonicalize_name(requirement.name) != "libvirt-python":  # follows the libvirt of the distribution
            assert Version(lower).release[0] == tried.release[0], f"{requirement}: {tried} is locked"
