"""A document of a plugin's kind is one wherever documents are read, unless the plugin is switched off."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import Onggi
from tests.host.test_plugins import EXAMPLE, install
from tests.lab.repositories import Repository


def test_a_plugins_kind_is_validated_and_planned(onggi: Onggi, repository: Repository, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(EXAMPLE, site)
    text = next(EXAMPLE.glob("*/contact/example.yaml")).read_text()
    repository.commit({"contact.yaml": text})
    known = {"PYTHONPATH": str(site)}
    plan = ("plan", repository.path, "--connect", "test:///default", "--state", tmp_path / "state")
    done = onggi("validate", repository.path, **known)
    assert (done.code, done.out) == (0, "")
    assert onggi(*plan, "--detailed-exitcode", **known).code == 0
    for words in (("validate", repository.path), plan):
        refused = onggi(*words, "--disable-plugin", "example", **known)
        assert "There is no kind `Contact`" in refused.out + refused.err
    assert "There is no kind `Contact`" in onggi("validate", repository.path).out


def test_a_plugins_kind_is_explained_and_its_schema_printed(onggi: Onggi, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(EXAMPLE, site)
    known = {"PYTHONPATH": str(site)}
    schema = json.loads(next(EXAMPLE.glob("*/contact/schema.json")).read_text())
    for word in ("Contact", "contacts"):
        assert onggi("schema", word, **known).json == schema
        told = onggi("explain", word, **known)
        assert "KIND:     Contact" in told.out
        assert "\n    email <" in told.out
    assert "Where to write to." in onggi("explain", "contact.email", **known).out
    for words in (("schema", "contact"), ("explain", "contact.email")):
        for refused in (onggi(*words), onggi(*words, "--disable-plugin", "example", **known)):
            assert (refused.code, refused.out) == (1, "")
            assert "There is no kind 'contact'" in refused.err
    assert "Contact" in onggi("explain", "contract", **known).err


def test_a_plugin_whose_schema_cant_be_read_isnt_used(onggi: Onggi, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(EXAMPLE, site)
    schema = next(site.glob("*/contact/schema.json"))
    for text in ("[1]", "{", '{"properties": {"spec": 1}}'):
        schema.write_text(text)
        refused = onggi("explain", "contact", PYTHONPATH=str(site))
        assert refused.code == 1
        assert "There is no kind 'contact'" in refused.err
    schema.unlink()
    assert "There is no kind 'contact'" in onggi("schema", "contact", PYTHONPATH=str(site)).err
