"""A document of a plugin's kind is one wherever documents are read, unless the plugin is switched off."""

from __future__ import annotations

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
