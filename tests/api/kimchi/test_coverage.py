"""Every noun has its file of tests, and every test of those files runs on both drivers.

That each address of the specification was really spoken to is seen while a file's tests run: see conftest.coverage.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.api.kimchi.conftest import speaking_tests
from tests.api.kimchi.coverage import ELSEWHERE, FILES, demanded, file_of

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]


def test_every_address_of_the_specification_belongs_to_a_file_of_tests() -> None:
    assert len(demanded()) > 100
    for _, path in demanded():
        assert file_of(path) in (*FILES.values(), *ELSEWHERE.values())
    for name in FILES.values():
        assert speaking_tests(importlib.import_module(f"tests.api.kimchi.{name}")), name
    for path in ELSEWHERE.values():
        assert (ROOT / path).is_file(), path


def test_every_file_is_of_a_noun_or_says_that_it_needs_a_guest() -> None:
    written = {path.stem for path in HERE.glob("test_*.py")} - {Path(__file__).stem}
    assert {each for each in written - set(FILES.values()) if not each.endswith("_on_qemu")} == set()
