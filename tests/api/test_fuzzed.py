"""The API against requests that nobody would write: never a 500, and no answer that the OpenAPI document doesn't have.

A generated request may remove or stop whatever there is: the host is the test driver's, and the machine a harmless one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import schemathesis

from tests.api.live import LiveApi, whole_api
from tests.api.made_up import CHECKS, document, made_up_of_the_document, the_same_each_time

__all__ = ["document"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


@made_up_of_the_document.parametrize()
@the_same_each_time
def test_no_request_gets_an_answer_that_is_not_told_of(api: LiveApi, case: schemathesis.Case) -> None:
    answer = case.call(base_url=api.url, timeout=60)
    assert answer.status_code != 500, answer.text
    if answer.status_code >= 400 and case.method != "HEAD":
        assert re.match(r"[A-Z]{4,12}[0-9]{4}E: .", answer.json()["reason"]), answer.text
    case.validate_response(answer, checks=CHECKS)
