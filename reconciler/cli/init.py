"""`onggi init`: a git repository with a documented first set of documents, which are safe to apply.

The documents are the files in `first_set/`, as they are; only onggi.yaml is made: each repository has its own id.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import verb
from reconciler.errors import Conflict, OnggiError

if TYPE_CHECKING:
    import pygit2

_FIRST_SET = Path(__file__).parent / "first_set"
_HIDDEN = {"pre-commit-config.yaml": ".pre-commit-config.yaml"}  # without its dot it is packaged and found as any other
IDENTITY = """\
# Names this repository, wherever it is cloned or moved to. Never change it: the identity of every object hangs on it.
apiVersion: onggi/v1
repositoryId: {id}
"""


@verb(
    "init",
    click.argument(
        "folder",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="A folder that isn't there yet, or an empty one, or an empty git repository.",
    ),
)
def command(folder: Path) -> None:
    """Make a git repository with a documented first set.

    One network, pool, template and machine, which are safe to apply: the machine stays off. Everything is committed.
    """
    from reconciler.exporting.folder import refuse_others

    refuse_others(folder)
    try:
        repository = _repository(folder)
        _write(folder)
    except OSError as error:
        raise OnggiError(f"{error.filename or folder} can't be written ({error.strerror}); check the path.") from None
    _commit(repository)
    click.echo(f"{folder} is a repository with a first set of documents. Next: onggi plan {folder}")


def _repository(folder: Path) -> pygit2.Repository:
    """The empty repository at `folder`, made when there is none. Raises Conflict when anything is there already."""
    import pygit2

    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(entry.name for entry in folder.iterdir() if entry.name != ".git")
    if found:
        raise Conflict(f"{folder} isn't empty (it has {found[0]}); choose a new folder.")
    try:
        if (folder / ".git").exists():
            existing = pygit2.Repository(str(folder))
            if not existing.head_is_unborn or list(existing.references):
                raise Conflict(f"{folder} has commits already; choose a new folder.")
            return existing
        made = pygit2.init_repository(str(folder))
    except pygit2.GitError as error:
        raise OnggiError(f"{folder} can't be made a git repository ({error}); check the path.") from None
    if "init.defaultBranch" not in made.config:
        made.set_head("refs/heads/main")
    return made


def _write(folder: Path) -> None:
    for source in sorted(_FIRST_SET.rglob("*")):
        if source.is_file() and source.suffix in (".yaml", ".md"):
            target = folder / source.relative_to(_FIRST_SET)
            target = target.with_name(_HIDDEN.get(target.name, target.name))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(source.read_bytes())
    (folder / "onggi.yaml").write_text(IDENTITY.format(id=uuid.uuid4()), encoding="utf-8")


def _commit(repository: pygit2.Repository) -> None:
    repository.index.add_all()
    repository.index.write()
    author = _author(repository)
    message = "Begin with onggi's first set of documents\n"
    repository.create_commit("HEAD", author, author, message, repository.index.write_tree(), [])


def _author(repository: pygit2.Repository) -> pygit2.Signature:
    """Who git says the user is; somebody has to be the author where nobody ever told git."""
    import pygit2

    try:
        known = repository.default_signature
        name, email = known.name, known.email
    except (KeyError, pygit2.GitError):
        name, email = "onggi", "onggi@localhost"
    return pygit2.Signature(
        os.environ.get("GIT_AUTHOR_NAME") or name, os.environ.get("GIT_AUTHOR_EMAIL") or email, encoding="utf-8"
    )
