"""Every module is loaded before the first test: what a test puts in the place of a function for a while would stay for
good in a module that takes its names from there in that while.
"""

from __future__ import annotations

import importlib
import pkgutil

import pytest

PACKAGES = ("specs", "reconciler", "api")


@pytest.fixture(scope="session", autouse=True)
def _all_code_is_loaded() -> None:
    for package in map(importlib.import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
