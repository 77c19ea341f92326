"""`onggi validate`: the documents as the files stand now, for an editor, pre-commit and CI. Asks no host and no git."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.here import repository_here
from reconciler.cli.options import RESULT, SIGNED, disabled_plugins, max_files, state, verb
from reconciler.cli.output import Output
from reconciler.errors import SourceError
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from specs.problem import Problem

# Whether an agent allows the folder of a path is known on its host only.
_ANY_FOLDER = ("/", "/dev", "/run", "/var/run")  # sockets and devices are the system's, and may be allowed


@dataclass(frozen=True, slots=True)
class _Checked:
    """`problems` have paths as the user would write them."""

    documents: int
    problems: tuple[Problem, ...]


@verb(
    "validate",
    click.argument(
        "paths",
        nargs=-1,
        type=click.Path(),
        metavar="[PATH]...",
        help="Folders of documents (of a git repository: the files in its work tree), or single files.  [default: the "
        "repository around the current folder]",
    ),
    max_files,
    disabled_plugins,
    *SIGNED,
    state,
    *RESULT,
)
def command(paths: tuple[str, ...], settings: Settings, out: Output) -> int:
    """Check documents offline.

    All mistakes are told at once, each as file:line:column: message; the exit code is 1 when there are any. Single
    files are checked by themselves; names that they refer to only in a folder.

    With --require-signed a folder's newest commit is verified too, except in a git hook: there it is still to be made.
    """
    from reconciler.reporting.problem_json import problem_json

    paths = paths or (os.path.relpath(repository_here()),)  # as editors and terminals can open it
    checked = [_file(path) if Path(path).is_file() else _folder(path) for path in paths]
    if settings.signatures.wanted and "GIT_INDEX_FILE" not in os.environ:
        checked += [_signed(path, settings) for path in paths if Path(path).is_dir()]
    problems = sorted(set().union(*(item.problems for item in checked)), key=_place)
    documents = sum(item.documents for item in checked)
    out.show(
        lambda: {"documents": documents, "problems": [problem_json(problem) for problem in problems]},
        lambda: "\n".join(map(str, problems)),
    )
    counted = f"{documents} document{'' if documents == 1 else 's'}"
    mistakes = f"{len(problems)} mistake{'' if len(problems) == 1 else 's'}"
    out.note(f"onggi: {counted}, {mistakes if problems else 'no mistakes'}")
    return 1 if problems else 0


def _folder(path: str) -> _Checked:
    """Everything in a folder, with what the documents say of each other. Raises SourceError."""
    from reconciler.desired.load import Loader
    from reconciler.desired.resolve import Resolver
    from reconciler.source.opening import open_folder
    from specs.validate import validate_set

    if (Path(path) / "HEAD").is_file() and (Path(path) / "objects").is_dir():
        raise SourceError(f"{path} is a bare repository and has no files to check; clone it, and check the clone.")
    source = open_folder(Path(path))
    try:
        tree = source.read()
    finally:
        source.close()
    loaded = Loader().load(tree)
    desired = Resolver(allowed_folders=_ANY_FOLDER).resolve(tree, loaded, tree.repository_id)
    problems = list(desired.problems)
    told = {_where(problem) for problem in problems}
    problems += [problem for problem in validate_set(loaded.documents) if _where(problem) not in told]
    return _Checked(len(loaded.documents) + len(loaded.held), tuple(_prefixed(path, problems)))


def _signed(path: str, settings: Settings) -> _Checked:
    """What is wrong with the signature of a folder's newest commit."""
    from reconciler.source.opening import open_source
    from specs.problem import Problem

    try:
        source = open_source(path, state_dir=settings.state, signatures=settings.signatures)
        try:
            source.read()
        finally:
            source.close()
    except SourceError as error:
        return _Checked(0, (Problem(path, 0, 0, str(error)),))
    return _Checked(0, ())


def _file(path: str) -> _Checked:
    """One file by itself."""
    from reconciler.source.files import REPOSITORY_FILE, size_problem
    from reconciler.source.repository_file import declared_repository_id
    from specs.document import MAX_FILE_BYTES, parse
    from specs.validate import validate

    with Path(path).open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        return _Checked(0, (size_problem(path, Path(path).stat().st_size),))
    if Path(path).name == REPOSITORY_FILE:
        return _Checked(0, declared_repository_id(path, content)[1])
    parsed = parse(path, content)
    problems = (*parsed.problems, *(problem for document in parsed.documents for problem in validate(document)))
    return _Checked(len(parsed.documents), problems)


def _prefixed(folder: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Paths as seen from where the command was given, so that an editor or a terminal can open them."""
    for problem in problems:
        yield replace(problem, path=os.path.normpath(os.path.join(folder, problem.path)))  # noqa: PTH118  # stays relative


def _where(problem: Problem) -> tuple[str, int, int]:
    return problem.path, problem.line, problem.column


def _place(problem: Problem) -> tuple[str, int, int, str]:
    return *_where(problem), problem.message
