"""A plugin adds resources and kinds of documents; a broken one is listed with its error and hurts nothing."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import falcon.testing
import jsonschema
import pytest
import yaml

import onggi.plugin
from api.app import create_app
from api.services import ServedPlugins, Services
from reconciler.host.plugins import GROUP, Plugin, Plugins, load_plugins
from specs.registry import Kind

EXAMPLE = Path(__file__).parents[2] / "examples/plugin"
PAGE = Path(__file__).parents[2] / "docs/plugins.md"
OWN = ("onggi", "api", "reconciler", "specs")
# What plugins call, and with what: this may grow at the end, with defaults, and never change. docs/plugins.md says so.
STAYS = {
    "Answer": "value status location content content_type headers",
    "Call": "body query client request",
    "Kind": "name plural aliases package references check has_xml",
    "Ref": "kind name",
    "Refusal": "status reason",
    "Resource": "services",
    "action": "name summary returns body",
    "arr": "items",
    "boolean": "description",
    "delete": "summary",
    "documents": "resource kind",
    "get": "summary returns",
    "integer": "description",
    "number": "description",
    "obj": "properties required closed",
    "or_null": "schema",
    "post": "summary returns body",
    "put": "summary returns body",
    "sees_machine": "resource call name",
    "text": "description",
}
VALUES = ("ANYBODY", "Role")  # that are no functions


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python looks for packages in; what is imported from it is forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def install(project: Path, site: Path) -> None:
    """What an installer does: the packages, and beside them the metadata that their pyproject.toml declares."""
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    for package in project.glob("*/__init__.py"):
        shutil.copytree(package.parent, site / package.parent.name, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = site / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    )
    lines = []
    for group, entries in declared["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def example(site: Path) -> Plugin:
    install(EXAMPLE, site)
    (found,) = [each for each in load_plugins().all if each.name == "example"]
    return found


def test_the_example_is_found_by_its_entry_point(example: Plugin) -> None:
    assert (example.name, example.version, example.error) == ("example", "1.0.0", "")
    assert example.active
    assert sorted(example.routes) == [
        f"/plugins/example/{each}" for each in ("contacts", "contacts/{name}", "greeting")
    ]
    assert [kind.name for kind in example.kinds] == ["Contact"]


def test_the_example_imports_nothing_of_onggi_but_what_stays() -> None:
    trees = [ast.parse(path.read_text()) for path in EXAMPLE.rglob("*.py")]
    taken = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    taken |= {
        name.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert {name for name in taken if name and name.partition(".")[0] in OWN} == {"onggi.plugin"}


def test_what_plugins_may_import_is_what_is_documented() -> None:
    (table,) = re.findall(r"^\| name \|.*?\n\n", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    cells = [row.split("|")[1] for row in table.splitlines()[2:] if row]
    assert sorted(re.findall(r"`(\w+)", " ".join(cells))) == sorted(onggi.plugin.__all__)


@pytest.mark.parametrize(("name", "parameters"), STAYS.items())
def test_what_plugins_call_takes_what_it_always_took(name: str, parameters: str) -> None:
    found, known = list(inspect.signature(getattr(onggi.plugin, name)).parameters.values()), parameters.split()
    assert [each.name for each in found[: len(known)]] == known
    for new in found[len(known) :]:
        assert new.default is not new.empty or new.kind is new.VAR_KEYWORD, f"plugins don't know of {new}"


def test_every_name_that_plugins_may_import_is_held() -> None:
    assert sorted([*STAYS, *VALUES]) == sorted(onggi.plugin.__all__)
    assert [role.name for role in onggi.plugin.Role] == ["USER", "VIEWER", "OPERATOR", "ADMIN"]


def test_the_examples_resource_answers(example: Plugin) -> None:
    services = Services(ready=lambda: True, alive=lambda: True, info=dict, plugins=ServedPlugins(Plugins((example,))))
    answer = falcon.testing.TestClient(create_app(services)).simulate_get("/plugins/example/greeting")
    assert answer.json == {"greeting": "hello", "ready": True}


def test_the_examples_kind_describes_its_example(example: Plugin) -> None:
    (kind,) = example.kinds
    folder = Path(str(sys.modules[kind.package].__file__)).parent
    schema = json.loads((folder / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load((folder / "example.yaml").read_text()), schema)


def test_the_page_shows_the_entry_point_that_is_declared() -> None:
    declared = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"][GROUP]
    assert all(f'{name} = "{value}"' in PAGE.read_text() for name, value in declared.items())


@pytest.fixture
def module(site: Path) -> Callable[[str, str], EntryPoint]:
    def make(name: str, code: str) -> EntryPoint:
        (site / f"plug_{name}.py").write_text(code)
        return EntryPoint(name, f"plug_{name}", GROUP)

    return make


Made = Callable[[str, str], EntryPoint]
GOOD = "ROUTES = {'/plugins/good': lambda services: object()}"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('no licence\\nfound')", "RuntimeError: no licence found"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import a_package_that_is_missing", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("ROUTES = ['/plugins/bad']", "ROUTES isn't a mapping"),
        ("ROUTES = {'/vms': lambda services: object()}", "'/vms' isn't below /plugins/bad"),
        ("ROUTES = {'/plugins/badly': lambda services: object()}", "isn't below"),
        ("ROUTES = {7: lambda services: object()}", "isn't below"),
        ("ROUTES = {'/plugins/bad': 7}", "can't be called"),
        ("KINDS = 'json'", "KINDS isn't a list"),
        ("KINDS = ['json']", "package json has no KIND"),
        ("KINDS = ['specs.template']", "Template is declared by onggi itself"),
        ("KINDS = ['nowhere.at.all']", "ModuleNotFoundError"),
    ],
)
def test_a_broken_one_is_listed_with_its_error(code: str, says: str, module: Made) -> None:
    found = load_plugins(found=[module("bad", code), module("good", GOOD)])
    bad, good = found.all
    assert says in bad.error
    assert (bad.active, bad.routes, bad.kinds) == (False, {}, ())
    assert good.active
    assert list(found.routes) == ["/plugins/good"]


def test_an_entry_that_leads_nowhere(module: Made) -> None:
    found = load_plugins(found=[EntryPoint("lost", "no_such_module:thing", GROUP), module("good", GOOD)])
    assert [each.active for each in found.all] == [True, False]
    assert "no_such_module" in found.all[1].error


@pytest.mark.parametrize("disabled", [["off"], ["*"]])
def test_one_that_is_switched_off_isnt_even_imported(disabled: list[str], module: Made) -> None:
    found = load_plugins(disabled, [module("off", "raise SystemExit('imported')")])
    assert [(each.name, each.disabled, each.error, each.active) for each in found.all] == [("off", True, "", False)]
    assert "plug_off" not in sys.modules


@pytest.mark.parametrize("name", ["../up", "UPPER", "a b", "-x", "x" * 65, "", "a/b"])
def test_a_name_that_fits_into_no_uri_is_refused(name: str, module: Made) -> None:
    entry = EntryPoint(name, module("good", GOOD).value, GROUP)
    assert "no URI can have it" in load_plugins(found=[entry]).all[0].error


def test_of_two_with_one_name_the_first_is_used(module: Made) -> None:
    first = module("good", GOOD)
    found = load_plugins(found=[EntryPoint("good", "plug_other", GROUP), first])
    assert [each.active for each in found.all] == [True]


def test_two_plugins_cant_both_declare_a_kind(example: Plugin, module: Made) -> None:
    copy = module("zcopy", "KINDS = ['onggi_example_plugin.contact']")
    found = load_plugins(found=[EntryPoint("example", "onggi_example_plugin", GROUP), copy])
    assert [kind.name for kind in found.kinds] == ["Contact"]
    assert all(isinstance(kind, Kind) for kind in found.kinds)
    assert "declared by the plugin example" in found.all[1].error


def test_without_plugins_there_are_none() -> None:
    assert load_plugins(found=[]) == Plugins()
