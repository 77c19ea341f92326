"""A few lines that ask for very much cost what the limits say and no more: counted before anything is made of them."""

from __future__ import annotations

import re
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.desired.load import Loader
from reconciler.desired.resolve import Resolver
from reconciler.desired.state import DesiredState
from reconciler.source import limits
from reconciler.source.tree import Revision, SourceFile, SourceTree
from specs.reference import VIRTUAL_MACHINE
from specs.template.among import MAX_TEMPLATES
from tests.hostile.commands import ENVIRONMENT, ONGGI
from tests.hostile.documents import vm

SHARING = "{disks: [{volume: one.qcow2}], interfaces: [{network: a, mac: '52:54:00:00:00:01'}]}"
MEMORY = 640 << 20  # of which an onggi that does nothing has mapped a good part
LONGEST = 600  # characters of a sentence
MANY = 1000  # documents of one file


@pytest.fixture
def few_files() -> Iterator[None]:
    """A limit that is soon reached."""
    before = limits.most_files()
    limits.allow(200)
    yield
    limits.allow(before)


def document(kind: str, name: str, spec: str) -> str:
    return f"apiVersion: onggi/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def desired(*files: str) -> DesiredState:
    sources = tuple(SourceFile(f"f{place}.yaml", f"{place}", text.encode()) for place, text in enumerate(files))
    tree = SourceTree(Revision("main", "sha1", "0" * 40), sources, (), "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55")
    return Resolver().resolve(tree, Loader().load(tree), tree.repository_id)


def machines(count: int, template: str) -> str:
    return "---\n".join(document("VirtualMachine", f"vm{place}", f"{{template: {template}}}") for place in range(count))


@pytest.mark.parametrize(
    "grown",
    [
        "disks: [" + "{size: 1}, " * 300 + "]",
        "networks: [" + "lab, " * 3000 + "]",
    ],
    ids=["disks", "networks"],
)
def test_a_template_counts_as_often_as_it_is_used(few_files: None, grown: str) -> None:
    state = desired(document("Template", "large", f"{{{grown}}}"), machines(200, "large"))
    assert len(state.resources) < limits.most_values() / 10
    left = {problem.ref for problem in state.problems}
    assert left <= state.held, "what isn't worked out is held, and never taken for gone"
    assert all("--max-files" in problem.message for problem in state.problems)
    assert 0 < len([ref for ref in state.resources if ref.kind == VIRTUAL_MACHINE]) < 200
    assert len(left) + len([ref for ref in state.resources if ref.kind == VIRTUAL_MACHINE]) == 200


def test_what_was_too_much_is_made_once_there_is_room(few_files: None) -> None:
    resolver, loader = Resolver(), Loader()
    large = SourceFile("b.yaml", "b", machines(200, "large").encode())

    def resolved(template: str) -> DesiredState:
        first = SourceFile("a.yaml", template, document("Template", "large", template).encode())
        tree = SourceTree(Revision("main", "sha1", "0" * 40), (first, large), (), "")
        return resolver.resolve(tree, loader.load(tree), "0c2a8c3e-64a5-4d5a-9a51-9f6a8b1f3d55")

    assert resolved("{disks: [" + "{size: 1}, " * 300 + "]}").held
    assert not resolved("{memory: 512}").held


def test_machines_and_disks_without_a_template_count_too(few_files: None) -> None:
    disks = ", ".join(f"{{name: d{place}, size: 1GiB}}" for place in range(400))
    state = desired("---\n".join(document("VirtualMachine", f"vm{n}", f"{{disks: [{disks}]}}") for n in range(4)))
    assert [problem.ref.name for problem in state.problems if problem.ref is not None] == ["vm2", "vm3"]


@pytest.mark.parametrize(
    "many",
    [
        "---\n".join(document("VirtualMachine", "same", "{memory: 512}") for _ in range(MANY)),
        "---\n".join(document("VirtualMachine", f"vm{n}", SHARING) for n in range(MANY)),
        document("Template", "one", "{disks: [{volume: one.qcow2}]}") + "---\n" + machines(MANY - 1, "one"),
        "---\n".join(document("StoragePool", f"p{n}", "{type: dir, path: /srv/one}") for n in range(MANY)),
    ],
    ids=["name", "volume", "template", "folder"],
)  # fmt: skip
def test_what_very_many_have_in_common_is_told_of_each_in_a_sentence(many: str) -> None:
    found = desired(many).problems
    assert len(found) >= MANY - 1
    assert max(len(problem.message) for problem in found) < LONGEST
    assert all(re.search(r"and \d{3} more", problem.message) for problem in found)


def test_templates_that_extend_each_other_for_ever_are_told() -> None:
    chain = [document("Template", f"t{n}", f"{{template: t{n + 1}}}") for n in range(MANY - 1)]
    last = document("Template", f"t{MANY - 1}", "{memory: 512}")
    state = desired("---\n".join([*chain, last]), machines(3, f"t{MANY - MAX_TEMPLATES}"))
    deep = [problem for problem in state.problems if f"more than {MAX_TEMPLATES} templates" in problem.message]
    assert len(deep) == MANY - 1 - MAX_TEMPLATES
    assert {ref.name for ref in state.resources if ref.kind == VIRTUAL_MACHINE} == {"vm0", "vm1", "vm2"}


def test_the_largest_file_that_is_read_fits_into_little_memory(tmp_path: Path) -> None:
    aliases = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '1'] * 9)}]\n" for n in range(30))
    merged = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(3000)) + "}\n"
    merged += "".join(f"m{n}: {{<<: *a}}\n" for n in range(9000))
    nested = "".join("---\n" + document("VirtualMachine", f"n{n}", f"{{x: [{'{a: 1}, ' * 4500}]}}") for n in range(28))
    assert len(nested) < 1 << 20
    data = "".join(f"      {line}\n" for line in (aliases + merged).splitlines())
    seed = document("VirtualMachine", "seed", f"\n  cloudInit:\n    userData: |\n      #cloud-config\n{data}")
    (tmp_path / "large.yaml").write_text("# " + "x" * (1 << 20))
    for name, text in {"aliases": aliases, "merged": merged, "nested": nested, "seed": seed, "good": vm("a")}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    done = subprocess.run(
        [*ONGGI, "validate", str(tmp_path)], capture_output=True, text=True, timeout=300, env=ENVIRONMENT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    told = {Path(line.partition(":")[0]).name for line in done.stdout.splitlines()}
    assert told >= {"aliases.yaml", "merged.yaml", "nested.yaml", "large.yaml"}
    assert not told & {"good.yaml"}
    assert "MemoryError" not in done.stdout + done.stderr
    assert re.search(r"large\.yaml:.* more than the 1048576 that are read; split it", done.stdout)
