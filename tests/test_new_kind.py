"""A newcomer's kind: a folder in each layer, and nothing else names it. It is loaded, planned, changed and removed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler.exporting
import reconciler.hypervisor
import reconciler.planning
import specs
from reconciler.exporting.export import export
from reconciler.exporting.exporter import exporters
from reconciler.hypervisor.driver import drivers
from reconciler.observed.snapshot import Observed
from reconciler.planning.operations import Define
from reconciler.planning.plan import Action
from reconciler.planning.rules import all_rules
from reconciler.reporting.plan_text import plan_text
from specs.reference import Ref
from specs.registry import kinds, own_kinds
from specs.whole import schema_text
from tests.desired.documents import REPOSITORY, document
from tests.planning.rehearsed_host import RehearsedHost

SPECS = {
    "__init__.py": """
from specs.registry import Kind

def references(name, spec):
    return ()

def check(name, spec):
    if spec["colour"] == "none":
        yield "/colour", "A lamp has a colour; name one."

KIND = Kind("Lamp", "lamps", ("light",), __name__, references, check, noun="lamp")
""",
    "fields.py": """
from specs.declared import mapping, text
from specs.effect import Effect
from specs.policy import activation, policies

ABOUT = "A lamp."
SPEC = mapping(
    "The lamp.",
    {"colour": text("Its colour.", effect=Effect.LIVE, at="colour"), **activation("lamp"), **policies("What stays.")},
    required=("colour",),
)
""",
    "xml.py": """
from lxml import etree
from specs.declared_binds import complete
from specs.lamp.fields import SPEC

BINDS = complete(SPEC, ())

def lower(declared, *, name, uid, host):
    return {"colour": declared["colour"]} if "colour" in declared else {}

def skeleton(lowered, *, name, uid, host):
    root = etree.Element("lamp")
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "uuid").text = uid
    return root
""",
}
PLANNING = """
from reconciler.planning.rules import Rules

class LampRules(Rules):
    kind = "Lamp"
    root = "lamp"

RULES = LampRules()
"""
DRIVER = """
from reconciler.hypervisor.driver import Driver
from reconciler.hypervisor.handlers import KindCommands, nothing
from reconciler.planning.operations import Define, Start, Stop, Undefine

DONE = []

def commands(access):
    found = KindCommands()
    for operation in (Define, Start, Stop, Undefine):
        found.on(operation, lambda given: DONE.append(type(given.operation).__name__), opens=nothing)
    return found

DRIVER = Driver("Lamp", look_up=None, reader=None, commands=commands)
"""
EXPORTER = """
from reconciler.exporting.draft import Draft, running
from reconciler.exporting.exporter import Exporter

def draft(observed, around):
    found = Draft(observed.ref, observed.uid, {"colour": observed.config["colour"]})
    running(observed, found.spec)
    return found

EXPORTER = Exporter("Lamp", draft, frozenset({"name", "uuid", "colour"}))
"""
DESK = Ref("Lamp", "desk")


@pytest.fixture
def lamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its three folders, beside those of onggi's own kinds."""
    folders = {
        specs: SPECS,
        reconciler.planning: {"__init__.py": "", "rules.py": PLANNING},
        reconciler.hypervisor: {"__init__.py": "", "driver.py": DRIVER},
        reconciler.exporting: {"__init__.py": "", "exporter.py": EXPORTER},
    }
    caches = (own_kinds, kinds, all_rules, drivers, exporters)
    for package, files in folders.items():
        folder = tmp_path / package.__name__ / "lamp"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder.parent)])
    for cache in caches:
        cache.cache_clear()
    (tmp_path / "specs/lamp/schema.json").write_text(schema_text(kinds()["Lamp"]))
    yield
    for cache in caches:
        cache.cache_clear()
    for name in [name for name in sys.modules if ".lamp" in name]:
        del sys.modules[name]


def lamp(name: str, colour: str = "red", **spec: object) -> str:
    return document("Lamp", name, {"colour": colour, **spec})


def names(host: RehearsedHost, files: dict[str, str]) -> list[tuple[str, str, list[str]]]:
    plan = host.apply(files)
    assert not plan.blocked
    done = [[type(each).__name__ for each in step.operations] for step in plan.steps]
    return [(str(step.ref), step.action.name, each) for step, each in zip(plan.steps, done, strict=True)]


@pytest.mark.usefixtures("lamps")
def test_a_new_kind_is_a_folder_in_each_layer() -> None:
    host, files = RehearsedHost(), {f"{name}.yaml": lamp(name) for name in ("desk", "floor", "wall")}
    made = [(f"Lamp/{name}", "CREATE", ["Define", "Start"]) for name in ("desk", "floor", "wall")]
    assert names(host, files) == made
    assert names(host, files) == [], "it is as it should be"
    files["desk.yaml"] = lamp("desk", "blue")
    assert "red → blue" in plan_text(host.plan(files), colour=False, width=100)
    assert names(host, files) == [("Lamp/desk", "UPDATE", ["Define"])]
    assert "<colour>blue</colour>" in host.objects[DESK].xml
    del files["wall.yaml"]
    assert names(host, files) == [("Lamp/wall", "DELETE", ["Stop", "Undefine"])]
    assert Ref("Lamp", "wall") not in host.objects


@pytest.mark.usefixtures("lamps")
def test_what_breaks_its_rules_is_told_where_it_is_written() -> None:
    wish = RehearsedHost().desired.of({"desk.yaml": lamp("desk", "none")})
    assert [(each.path, each.pointer) for each in wish.problems] == [("desk.yaml", "/spec/colour")]
    assert wish.held == {DESK}


@pytest.mark.usefixtures("lamps")
def test_its_steps_are_what_its_driver_performs() -> None:
    (step,) = RehearsedHost().plan({"desk.yaml": lamp("desk")}).steps
    assert step.action is Action.CREATE
    assert isinstance(step.operations[0], Define)
    handlers = drivers()["Lamp"].commands(None).handlers  # type: ignore[arg-type]
    given = importlib.import_module("reconciler.hypervisor.given").Given
    for operation in step.operations:
        handlers[type(operation)].perform(given(operation))
    assert importlib.import_module("reconciler.hypervisor.lamp.driver").DONE == ["Define", "Start"]


@pytest.mark.usefixtures("lamps")
def test_one_that_others_made_becomes_a_document_and_tells_what_that_leaves_out() -> None:
    host = RehearsedHost()
    uid = "11111111-2222-4333-8444-555555555555"
    xml = f"<lamp><name>desk</name><uuid>{uid}</uuid><colour>red</colour><shade>round</shade></lamp>"
    host.objects[DESK] = Observed(DESK, uid, xml)
    (made,) = export(host.snapshot(), REPOSITORY, minimal=True).documents
    assert (made.path, made.left) == ("lamps/desk.yaml", ("its shade",))
    (whole,) = export(host.snapshot(), REPOSITORY).documents
    assert whole.left == ("shade = round",)
    assert "colour: red" in made.text
    assert "active: false" in made.text
    assert not host.desired.of({made.path: made.text}).problems
