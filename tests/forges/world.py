"""An agent on a real remote, and a forge of the test's own that looks after it: pushes and pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.loop.agent import Agent
from tests.forges.server import ME, REPOSITORY, TOKEN, LocalForge
from tests.lab.repositories import Repository, git
from tests.stories.agents import running_agent


def vm(name: str, memory: int = 64, more: str = "") -> str:
    return (
        f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\n"
        f"spec: {{memory: {memory}, runStrategy: Halted{more}}}\n"
    )


@dataclass
class World:
    """`repository` is a clone whose remote is `bare`, which the agent follows by its file URL."""

    forge: LocalForge
    repository: Repository
    bare: Path
    folder: Path
    uri: str

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def token_file(self) -> Path:
        file = self.folder / "token"
        if not file.exists():
            file.write_text(TOKEN)
            file.chmod(0o600)
        return file

    @contextmanager
    def agent(self, **options: object) -> Iterator[Agent]:
        chosen: dict[str, object] = {
            "interval_s": 1.0, "forge": self.forge.kind, "forge_url": self.forge.api,
            "forge_repository": REPOSITORY, "forge_token_file": self.token_file(),
        }  # fmt: skip
        with running_agent(self.url, self.uri, self.folder / "state", **(chosen | options)) as agent:
            yield agent

    def push(self, files: dict[str, str], *, remove: tuple[str, ...] = ()) -> str:
        """Commit to the followed branch and push; the commit."""
        commit = self.repository.commit(files) if files else self.repository.head
        if remove:
            commit = self.repository.remove(*remove)
        self.repository.push()
        return commit

    def propose(
        self,
        number: int,
        files: dict[str, str],
        *,
        remove: tuple[str, ...] = (),
        fork: bool = False,
        start: str = "main",
    ) -> str:
        """Push a commit for a pull request, open it or move it on, and return the commit."""
        git(self.repository.path, "checkout", "--quiet", "-B", f"topic-{number}", start)
        commit = self.repository.commit(files)
        if remove:
            commit = self.repository.remove(*remove)
        git(self.repository.path, "push", "--quiet", "--force", "origin", f"HEAD:{self.forge.head_ref(number)}")
        git(self.repository.path, "checkout", "--quiet", "main")
        self.forge.open_pull(number, commit, fork=fork)
        return commit

    def comment(self, number: int) -> str:
        """What our comment says; empty while there is none. Fails when there is more than one."""
        ours = [each.body for each in self.forge.comments.get(number, []) if each.author == ME]
        assert len(ours) <= 1
        return ours[0] if ours else ""
