"""The API against requests that nobody would write: never a 500, and no answer that the OpenAPI document doesn't have.

A generated request may remove or stop whatever there is: the host is the test driver's, and the machine a harmless one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import resource_classes
from api.http.openapi import openapi
from tests.api.live import LiveApi, whole_api

EXAMPLES = 20
CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_dict(openapi(resource_classes(), "0"))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with whole_api(tmp_path_factory.mktemp("fuzzed")) as running:
        yield running


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_no_request_gets_an_answer_that_is_not_told_of(api: LiveApi, case: schemathesis.Case) -> None:
    answer = case.call(base_url=api.url, timeout=60)
    assert answer.status_code != 500, answer.text
    if answer.status_code >= 400 and case.method != "HEAD":
        assert re.match(r"[A-Z]{4,12}[0-9]{4}E: .", answer.json()["reason"]), answer.text
    case.validate_response(answer, checks=CHECKS)
