"""A mistake in a document in the shape that scripts get: of `onggi validate`, `plan` and `apply` with -o json."""

from __future__ import annotations

from specs.plain import NewJson
from specs.problem import Problem


def problem_json(problem: Problem) -> NewJson:
    """`kind` and `name` are there when the document could be recognised."""
    told: NewJson = {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
    }
    if problem.pointer:
        told["pointer"] = problem.pointer
    if problem.ref is not None:
        told |= {"kind": problem.ref.kind, "name": problem.ref.name}
    return told
