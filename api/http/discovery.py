"""Finds what answers: a noun of the API is a folder of `api`, and whatever its modules declare is found by looking."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import api
from api.http.endpoint import Resource


@cache
def resource_classes() -> tuple[type[Resource], ...]:
    """Every class with an address that a module of a folder of `api` defines, in the order of addresses."""
    found = []
    for folder in pkgutil.iter_modules(api.__path__, "api."):
        if folder.ispkg:
            found += _below(folder.name)
    return tuple(sorted(found, key=lambda each: each.address))


def _below(package: str) -> list[type[Resource]]:
    path = importlib.import_module(package).__path__
    found: list[type[Resource]] = []
    for each in pkgutil.iter_modules(path, f"{package}."):
        if each.ispkg:
            found += _below(each.name)
            continue
        for member in vars(importlib.import_module(each.name)).values():
            own = isinstance(member, type) and member.__module__ == each.name
            if own and issubclass(member, Resource) and member.address:
                found.append(member)
    return found
