"""onggi.yaml at a repository's root: says which repository this is, so that clones and moved ones keep their objects.

It isn't a document: it is read before there are any, and from the root even when only a sub-path counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final

import yaml

from specs.problem import Problem

_API_VERSION: Final = "onggi/v1"
_MAX_BYTES: Final = 4096  # two lines are expected; also bounds how deep the YAML can be nested


def declared_repository_id(path: str, content: bytes) -> tuple[str, tuple[Problem, ...]]:
    """The repository id that the file declares, in lower case; or an empty one and what is wrong with the file."""
    if len(content) > _MAX_BYTES:
        return "", (Problem(path, 0, 0, "The file is too long; it holds only apiVersion and repositoryId."),)
    try:
        root = yaml.compose(content.decode(), Loader=yaml.CSafeLoader)
    except UnicodeDecodeError:
        return "", (Problem(path, 0, 0, "The file isn't UTF-8; save it as such."),)
    except RecursionError:
        return "", (Problem(path, 0, 0, "The file is nested too deeply; it holds only apiVersion and repositoryId."),)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
        reason = getattr(error, "problem", None) or "it can't be parsed"
        return "", (Problem(path, line, column, f"This isn't YAML: {reason}; correct it."),)
    values: dict[str, str] = {}
    problems = tuple(_read(path, root, values))
    return ("", problems) if problems else (values["repositoryId"], ())


def gone_problem(path: str, repository_id: str, revision: str) -> Problem:
    """The file was there and isn't any more: without it every object would be another repository's."""
    message = (
        f"The file is gone from {revision}; it said that this is the repository {repository_id}. Nothing is done until "
        f"it is back, with apiVersion: {_API_VERSION} and repositoryId: {repository_id}."
    )
    return Problem(path, 0, 0, message)


def _read(path: str, root: yaml.Node | None, values: dict[str, str]) -> Iterator[Problem]:
    if not isinstance(root, yaml.MappingNode):
        yield Problem(path, 1, 1, "The file is no mapping; write apiVersion: onggi/v1 and repositoryId: <uuid>.")
        return
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        text = value.value if isinstance(value, yaml.ScalarNode) else ""
        mark = value.start_mark
        if name in values:
            yield _at(path, key.start_mark, f"{name} is there twice; remove one.")
        elif name not in ("apiVersion", "repositoryId"):
            yield _at(path, key.start_mark, "Only apiVersion and repositoryId belong here; remove this.")
        elif name == "apiVersion" and text != _API_VERSION:
            yield _at(path, mark, f"This version isn't known; write apiVersion: {_API_VERSION}.")
        elif name == "repositoryId" and not _is_uuid(text):
            yield _at(path, mark, "This isn't a UUID; write one, such as uuidgen prints, and never change it again.")
        values.setdefault(name, text.lower())
    for name in ("apiVersion", "repositoryId"):
        if name not in values:
            yield Problem(path, 1, 1, f"{name} is missing; add it.")


def _at(path: str, mark: yaml.Mark, message: str) -> Problem:
    return Problem(path, mark.line + 1, mark.column + 1, message)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
