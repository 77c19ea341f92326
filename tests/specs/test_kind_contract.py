"""What every kind's folder has to hold, checked for each folder that there is."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from specs.codecs import bytes_of
from specs.document import API_VERSION, parse
from specs.effect import Effect
from specs.explain import UnknownFieldError, explain
from specs.name import NAME_PATTERN, VOLUME_PATTERN, composed, name_problem
from specs.registry import Kind, find_kind, kinds
from specs.validate import validate, validate_set

every_kind = pytest.mark.parametrize("kind", kinds().values(), ids=kinds().keys())


def resolved(kind: Kind, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to."""
    if "$ref" not in schema:
        return schema
    return {**kind.schema["$defs"][schema["$ref"].rpartition("/")[2]], **schema}


def fields(kind: Kind, schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, schema) of every field below `schema`."""
    whole = resolved(kind, schema)
    if "items" in whole:
        yield f"{path}[]", whole["items"]
        yield from fields(kind, whole["items"], f"{path}[]")
    for name, field in whole.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(kind, field, f"{path}.{name}")


def test_there_are_these_kinds() -> None:
    assert list(kinds()) == [
        "Distribution",
        "MediatedDevice",
        "Network",
        "NetworkFilter",
        "Secret",
        "StoragePool",
        "StorageVolume",
        "Template",
        "VirtualMachine",
    ]


@every_kind
def test_a_kind_goes_by_names_that_no_other_has(kind: Kind) -> None:
    for word in (kind.name, kind.name.upper(), kind.plural, *kind.aliases):
        assert find_kind(word) is kind


@every_kind
def test_a_folder_has_its_parts(kind: Kind) -> None:
    parts = {"fields.py", "schema.json", "model.py", "example.yaml", "__init__.py"}
    assert parts <= {path.name for path in kind.folder.iterdir()}
    assert (kind.folder / "xml.py").exists() == kind.has_xml


@every_kind
def test_the_schema_is_one(kind: Kind) -> None:
    jsonschema.Draft202012Validator.check_schema(kind.schema)
    assert kind.schema["properties"]["kind"]["const"] == kind.name
    assert kind.schema["properties"]["apiVersion"]["const"] == API_VERSION


@every_kind
def test_every_field_has_a_description_that_is_a_sentence(kind: Kind) -> None:
    missing = [
        path
        for path, field in fields(kind, kind.schema)
        if not resolved(kind, field).get("description", "").endswith(".")
    ]
    assert missing == []


@every_kind
def test_every_default_is_told_in_the_description(kind: Kind) -> None:
    for path, field in fields(kind, kind.schema):
        whole = resolved(kind, field)
        if "default" in whole:
            told = str(whole["default"]).lower() if isinstance(whole["default"], bool) else str(whole["default"])
            assert told in whole["description"].partition("Default: ")[2], path


@every_kind
def test_every_mapping_says_which_fields_it_has(kind: Kind) -> None:
    for path, field in [("", kind.schema), *fields(kind, kind.schema)]:
        whole = resolved(kind, field)
        if whole.get("type") == "object":
            assert "additionalProperties" in whole, path
            if "labels" not in path and "annotations" not in path:
                assert whole["additionalProperties"] is False, path


@every_kind
def test_effects_are_the_four_words(kind: Kind) -> None:
    for _, field in fields(kind, kind.schema):
        if (effect := resolved(kind, field).get("x-effect")) is not None:
            Effect(effect)


# Where a schema's field and the bind of the same name aren't about the same thing.
_OTHER_MEANING = {"VirtualMachine.disks.format"}  # declared, it is the new volume's; in a machine's XML, how it is read


@pytest.mark.parametrize("kind", [kind for kind in kinds().values() if kind.has_xml], ids=lambda kind: kind.name)
def test_effects_are_those_that_the_binds_have(kind: Kind) -> None:
    disagreeing = []
    for path, effect in fixed_effects(kind.xml.BINDS):
        try:
            told = explain(f"{kind.name}.spec.{path}").effect
        except UnknownFieldError:
            continue  # only the XML has it
        if told not in (None, effect) and f"{kind.name}.{path}" not in _OTHER_MEANING:
            disagreeing.append((path, told, effect))
    assert disagreeing == []


def fixed_effects(binds: Iterable[Any]) -> Iterator[tuple[str, Effect]]:
    """(path, effect) of every bound field whose effect doesn't depend on the values."""
    for bind in binds:
        below = [(f"{bind.name}/{field.name}", field) for field in getattr(bind, "fields", ())] or [(bind.name, bind)]
        for name, field in below:
            if isinstance(getattr(field, "effect", None), Effect) and field.effect_in is None:
                yield name.replace("/", "."), field.effect


@every_kind
def test_defaults_and_examples_are_allowed_values(kind: Kind) -> None:
    for path, field in fields(kind, kind.schema):
        validator = jsonschema_rs.validator_for({**resolved(kind, field), "$defs": kind.schema["$defs"]})
        values = [*field.get("examples", ()), *([field["default"]] if "default" in field else ())]
        assert all(validator.is_valid(value) for value in values), path


def test_what_kinds_share_is_the_same_in_all_of_them() -> None:
    seen: dict[str, Any] = {}
    for kind in kinds().values():
        for name, definition in kind.schema["$defs"].items():
            assert seen.setdefault(name, definition) == definition, name
        spec = kind.schema["properties"]["spec"]["properties"]
        for name in ("driftPolicy", "ignoreFields"):
            if name in spec:
                assert seen.setdefault(name, spec[name]) == spec[name], name
    assert seen["name"]["pattern"] == NAME_PATTERN
    assert seen["volumeReference"]["pattern"] == VOLUME_PATTERN


@pytest.mark.parametrize("name", ["web\u00ad.iso", "\u3164.iso", "web\u2000.iso"])
def test_a_template_takes_no_volume_for_its_drive_of_which_there_can_be_none(name: str) -> None:
    schema = kinds()["Template"].schema["properties"]["spec"]["properties"]["cdrom"]
    assert jsonschema_rs.is_valid({"pattern": schema["pattern"]}, "web.iso")
    assert not jsonschema_rs.is_valid({"pattern": schema["pattern"]}, name)


@every_kind
def test_the_example_is_good_and_shows_every_field(kind: Kind) -> None:
    parsed = parse(f"{kind.name}.yaml", kind.example.encode())
    assert parsed.problems == ()
    assert {document.kind for document in parsed.documents} == {kind.name}
    assert [problem for document in parsed.documents for problem in validate(document)] == []
    assert validate_set(parsed.documents) == []
    for name in kind.schema["properties"]["spec"]["properties"]:
        assert f"{name}:" in kind.example, f"the example doesn't show {name}"


@every_kind
def test_the_example_with_its_comments_switched_on_has_only_known_fields(kind: Kind) -> None:
    lines = []
    for line in kind.example.splitlines():
        bare = line.lstrip()
        # `  # key: value` and `  # - item` are fields that are commented out; anything else is prose.
        if bare.startswith("# ") and line != bare and (":" in bare or bare.startswith("# - ")):
            line = line[: len(line) - len(bare)] + bare[2:]
        lines.append(line)
    unknown = []
    for document in yaml.safe_load_all("\n".join(lines)):
        validator = jsonschema_rs.validator_for(kind.schema)
        unknown += [e.message for e in validator.iter_errors(document) if e.schema_path[-1] == "additionalProperties"]
    assert unknown == []


@given(st.text(max_size=140) | st.text(alphabet="ab. -/\\'\"<>&\n\t\0서é\u202e", max_size=12))
def test_the_pattern_of_names_and_the_sentence_about_them_agree(name: str) -> None:
    by_pattern = jsonschema_rs.is_valid({"type": "string", "pattern": NAME_PATTERN}, name)
    if by_pattern:
        is_none = any(unicodedata.category(each) == "Cn" for each in name)  # which no pattern lists
        assert name_problem(name) == "" or len(name.encode()) > 200 or name != composed(name) or is_none
    else:
        assert name_problem(name)


@given(st.from_regex(kinds()["VirtualMachine"].schema["$defs"]["size"]["pattern"].removesuffix("$") + r"\Z"))
def test_every_size_that_is_allowed_can_be_read(size: str) -> None:
    assert bytes_of(size) is not None


def test_the_kinds_load_without_what_only_some_commands_need() -> None:
    script = (
        "import sys, specs.registry as r\n"
        "for kind in r.kinds().values(): kind.schema, kind.example\n"
        "print([m for m in ('lxml', 'libvirt', 'yaml', 'jsonschema_rs', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_documents_are_checked_without_reading_xml() -> None:
    script = (
        "import sys, specs.registry as r, specs.document as d, specs.validate as v\n"
        "for kind in r.kinds().values():\n"
        "    for document in d.parse('x', kind.example.encode()).documents: v.validate(document)\n"
        "print([m for m in ('lxml', 'libvirt', 'jsonschema') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
