"""Makes any function fail for one object. They are found by scanning, so that what is new comes under the law, too."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from specs.reference import Ref

# What a parameter may be that is about a single object.
_ABOUT_ONE = frozenset({"Resource", "Observed", "Step", "Document", "Owned", "Ref", "Draft", "Inputs", "SourceFile"})


class OddError(Exception):
    """What nobody thought of."""


def functions(*packages: str) -> Iterator[str]:
    """`module:qualified.name` of each function and method in these packages that is handed one object, or its name."""
    for module in _modules(packages):
        for holder in (module, *_classes(module)):
            for value in vars(holder).values():
                function = value.fget if isinstance(value, property) else getattr(value, "func", value)
                if not isinstance(function, FunctionType) or function.__module__ != module.__name__:
                    continue
                if _takes_one(function) and not function.__name__.startswith("__"):
                    yield f"{module.__name__}:{function.__qualname__}"


def _modules(packages: tuple[str, ...]) -> Iterator[ModuleType]:
    for package in map(importlib.import_module, packages):
        yield package
        for found in pkgutil.walk_packages(getattr(package, "__path__", []), f"{package.__name__}."):
            yield importlib.import_module(found.name)


def _classes(module: ModuleType) -> Iterator[type]:
    return (each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__)


def _takes_one(function: FunctionType) -> bool:
    parameters = inspect.signature(function).parameters.values()
    types = {word.strip() for each in parameters for word in str(each.annotation).split("|")}
    by_name = {"name", "uid", "host"} <= {each.name for each in parameters}  # lowering and skeletons
    return bool(types & _ABOUT_ONE) or by_name or function.__qualname__.startswith("Observed.")


def fail_for(names: frozenset[str], place: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the function at `place` raise whenever it is about one of these; the list gets an entry each time."""
    module_name, _, qualified = place.partition(":")
    module = importlib.import_module(module_name)
    holder: Any = module
    *way, name = qualified.split(".")
    for part in way:
        holder = getattr(holder, part)
    value = vars(holder)[name]
    raised: list[str] = []

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def fails(*arguments: Any, **more: Any) -> Any:
            if any(_is_about(each, names) for each in (*arguments, *more.values())):
                raised.append(place)
                raise OddError("a value that nobody thought of")
            return real(*arguments, **more)

        fails.__name__ = fails.__qualname__ = name
        return fails

    if isinstance(value, property):
        assert value.fget is not None
        monkeypatch.setattr(holder, name, property(failing(value.fget)))
    elif isinstance(value, FunctionType) and holder is not module:
        monkeypatch.setattr(holder, name, failing(value))
    elif isinstance(value, FunctionType):
        replacement = failing(value)
        for other in list(sys.modules.values()):
            if getattr(other, "__name__", "").partition(".")[0] in ("specs", "reconciler", "api"):
                for alias, there in list(vars(other).items()):
                    if there is value:
                        monkeypatch.setattr(other, alias, replacement)
    elif hasattr(value, "func"):  # a cached property
        monkeypatch.setattr(value, "func", failing(value.func))
    else:  # a static or class method
        monkeypatch.setattr(holder, name, type(value)(failing(value.__func__)))
    return raised


def _is_about(value: Any, names: frozenset[str]) -> bool:
    ref = value if isinstance(value, Ref) else getattr(value, "ref", None)
    if ref is None:
        ref = getattr(getattr(value, "document", None), "ref", None)
    if isinstance(ref, Ref):
        return bool(names & {ref.name, ref.short_name, ref.pool})
    return (value if isinstance(value, str) else getattr(value, "path", None)) in names
