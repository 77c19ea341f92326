"""Documents with every mistake that somebody may make, or plant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TOO_LARGE = 100 << 20


def vm(name: str, **fields: object) -> str:
    """A machine that is only defined: nothing in these tests needs one that runs. Its name is on line 4."""
    values = {"runStrategy": "Halted", "memory": 64, "domainType": "emulated", **fields}
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return f"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n  name: {name}\nspec:\n{lines}"


def pool(name: str, folder: object) -> str:
    return f"apiVersion: onggi/v1\nkind: StoragePool\nmetadata: {{name: {name}}}\nspec: {{type: dir, path: {folder}}}\n"


def template(name: str, extends: str) -> str:
    return f"apiVersion: onggi/v1\nkind: Template\nmetadata: {{name: {name}}}\nspec: {{template: {extends}}}\n"


def alias_bomb() -> str:
    levels = "".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]\n" for level in range(1, 12))
    return f"l0: &l0 [x, x, x]\n{levels}"


@dataclass(frozen=True)
class Bad:
    """One kind of bad document. `places` are the lines on which one has to be told (0: of the whole file)."""

    files: Mapping[str, str | bytes]
    places: frozenset[tuple[str, int]]
    names: frozenset[str] = field(default=frozenset())  # of the documents that can't be used


def _one(content: str | bytes, *lines: int) -> Bad:
    return Bad({"bad.yaml": content}, frozenset(("bad.yaml", line) for line in lines))


def named(name: str) -> Bad:
    return _one(vm(name), 4)


BAD: dict[str, Bad] = {
    "broken YAML": _one("apiVersion: onggi/v1\nkind: [\n", 3),
    "an alias bomb": _one(alias_bomb(), 2),
    "a file of 100 MB": _one(b"#" * TOO_LARGE, 0),
    "wrong types": _one(vm("bad", memory="[1]", cpus='"two"', autostart="7"), 7, 9, 10),
    "unknown fields": _one(vm("bad", memroy="64", color="red"), 9, 10),
    "an unknown kind": _one(vm("bad").replace("VirtualMachine", "VirtualMachina"), 2),
    "a kind that is no text": _one(vm("bad").replace("VirtualMachine", "[a, b]"), 2),
    "a duplicate key": _one(vm("bad") + "  memory: 128\n", 9),
    "two documents with one name": Bad(
        {"bad.yaml": vm("bad"), "bad-too.yaml": vm("bad")}, frozenset({("bad.yaml", 4), ("bad-too.yaml", 4)})
    ),
    "two documents with one name in a file": _one(f"{vm('bad')}---\n{vm('bad')}", 4, 13),
    "templates in a circle": _one(f"{template('bad', 'ring')}---\n{template('ring', 'bad')}", 4, 9),
    "a template of itself": _one(template("bad", "bad"), 4),
    "a slash in a name": named("a/b"),
    "a name that leads upwards": named('"../../etc/passwd"'),
    "two dots as a name": named('".."'),
    "a NUL in a name": named(r'"a\0b"'),
    "a line break in a name": named(r'"a\nb"'),
    "a quote in a name": named("a'b"),
    "a double quote in a name": named("'a\"b'"),
    "XML in a name": named('"</name><uuid>1</uuid>"'),
    "an empty name": named('""'),
    "a number as a name": named("7"),
    "a list as a name": named("[a]"),
    "an option as a name": named('"--all"'),
    "Latin-1 bytes": _one(vm("bad", title="caf\xe9").encode("latin-1"), 9),
    "a raw NUL": _one(vm("bad", title="a\0b"), 9),
    "UTF-16": _one(vm("bad").encode("utf-16"), 1),
    "XML in place of a title": _one(vm("bad", title="[</title>]"), 9),
    "a control character in a title": _one(vm("bad", title=r'"a\x01b"'), 9),
    "no mapping at all": _one("- 1\n- 2\n", 1),
    "text for a spec": _one("apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: bad}\nspec: all\n", 4),
    "brackets without end": _one("[" * 100_000, 1),
    "a Python object": _one(vm("bad", title="!!python/object/apply:os.system [id]"), 9),
}
