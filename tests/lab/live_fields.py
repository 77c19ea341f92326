"""Which declared fields a test shows in a running machine: `@shows_live("interfaces/link")`.

A law holds that each field that is changed live has such a test, and docs/effects.md tells it. Both find the decorator
in the tests' text and import none of them, so what it is given are plain strings.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import TypeVar

from specs.declared import Declared, declared_at

Test = TypeVar("Test", bound=Callable[..., object])

_TESTS = Path(__file__).parents[1]


def shows_live(*fields: str) -> Callable[[Test], Test]:
    """Says of a test that QEMU or its guest saw a change of these fields of a machine, and that nothing was rebooted.

    A field is `/`-joined: `disks` for a disk that comes or goes, `disks/ioLimits/iops` for what is in one. A mapping
    stands for all that is in it, a list doesn't.
    """
    assert fields
    return lambda test: test


def shown_live(folder: Path = _TESTS) -> dict[str, tuple[str, ...]]:
    """The tests (`live/test_cpu.py::test_it`) that show a field, by field."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for field, test in _shown_in(path.read_text()):
            found.setdefault(field, []).append(f"{path.relative_to(folder)}::{test}")
    return {field: tuple(tests) for field, tests in sorted(found.items())}


def is_shown(spec: Declared, field: str, shown: Container[str]) -> bool:
    """Whether one of these fields is this one of a spec, or a mapping that it is in."""
    name = field
    while name not in shown:
        name, slash, _ = name.rpartition("/")
        if not slash:
            return False
        holder = declared_at(spec, name)
        if (holder.base or holder).item is not None:
            return False
    return True


def _shown_in(source: str) -> Iterator[tuple[str, str]]:
    if shows_live.__name__ not in source:
        return
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in function.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == shows_live.__name__:
                for argument in call.args:
                    yield str(ast.literal_eval(argument)), function.name
