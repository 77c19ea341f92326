"""Documents as text, and the way from there to desired state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import DesiredState
from reconciler.source.tree import Revision, SourceFile, SourceTree
from specs.problem import Problem

REPOSITORY = "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55"


def document(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> str:
    """One document. JSON is YAML."""
    whole = {"apiVersion": "onggi/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {}}
    return json.dumps(whole, indent=1)


def vm(name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> str:
    return document("VirtualMachine", name, {"memory": 512} | (spec or {}), **metadata)


def tree_of(files: Mapping[str, str | bytes], problems: tuple[Problem, ...] = ()) -> SourceTree:
    """A revision with these files."""
    found = []
    for path, content in sorted(files.items()):
        data = content.encode() if isinstance(content, str) else content
        found.append(SourceFile(path, hashlib.sha1(data).hexdigest(), data))
    digest = hashlib.sha1(repr(found).encode()).hexdigest()
    return SourceTree(Revision("main", "sha1", digest), tuple(found), problems, REPOSITORY)


class Desired:
    """One source through its revisions."""

    def __init__(self, **options: Any) -> None:
        self.loader = Loader()
        self.resolver = Resolver(**options)

    def of(self, files: Mapping[str, str | bytes], problems: tuple[Problem, ...] = ()) -> DesiredState:
        tree = tree_of(files, problems)
        return self.resolver.resolve(tree, self.loader.load(tree), tree.repository_id)


def together(*documents: str) -> str:
    """Several documents of one file."""
    return "\n---\n".join(documents)
