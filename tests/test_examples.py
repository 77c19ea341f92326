"""Every example is what it says: it validates, plans as its `expected-plan.txt` shows, and converges where it can.

`ONGGI_WRITE_EXPECTED=1` writes the expected plans anew; look at the difference before committing it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reconciler.line.line import Line
from reconciler.reporting.plan_text import plan_text
from reconciler.settings.settings import Settings

EXAMPLES = sorted(path for path in (Path(__file__).parents[1] / "examples").iterdir() if path.name[:2].isdigit())
# These name image servers and storage of an example network; they are planned, and not applied.
ELSEWHERE = {"04-base-image", "05-storage-and-networks"}


def settings(example: Path, uri: str, tmp_path: Path) -> Settings:
    folder = tmp_path / "repository"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("expected-*"))
    return Settings(repository=str(folder), connect=uri, state=tmp_path / "state")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_plans_as_it_shows(example: Path, private_test_uri: str, tmp_path: Path) -> None:
    with Line.open(settings(example, private_test_uri, tmp_path), exclusive=True) as line:
        assert line.desired().problems == ()
        text = plan_text(line.plan(), colour=False, width=110)
    expected = example / "expected-plan.txt"
    if os.environ.get("ONGGI_WRITE_EXPECTED"):
        expected.write_text(text)
    assert text == expected.read_text()


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.name not in ELSEWHERE], ids=lambda path: path.name)
def test_an_example_converges_and_is_at_rest_then(example: Path, private_test_uri: str, tmp_path: Path) -> None:
    with Line.open(settings(example, private_test_uri, tmp_path), exclusive=True) as line:
        result = line.converge()
        assert [o.message for o in result.outcomes if o.message] == []
        assert result.succeeded
        assert line.plan().empty
