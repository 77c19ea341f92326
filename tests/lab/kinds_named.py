"""Which kinds a module names: by their constants, as texts, or by importing from their folders in a package."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from specs import reference
from specs.registry import own_kinds


def named_in(path: Path, package: str = "", folders: Collection[str] = ()) -> set[str]:
    """Their names. With `package`, those of its `folders` that it imports from, too."""
    kinds = {name: value for name, value in vars(reference).items() if isinstance(value, str) and value in own_kinds()}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found |= {kinds[name]} if name in kinds else set()
        elif isinstance(node, ast.Constant) and node.value in kinds.values():
            found.add(str(node.value))
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            of = {folder: f"{package}.{folder}" for folder in folders}
            found |= {folder for folder, full in of.items() if full in modules or node.module.startswith(f"{full}.")}
    return found
