"""What is made up from the OpenAPI document: requests that nobody would write, for every address and method.

They are made up when the test runs, and by the worker that runs it. Each of schemathesis' own tests would need the same
for as long as tests are only listed, and all of them have one name under this pytest, of which workers run one.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.http.discovery import resource_classes
from api.http.openapi import openapi

CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]
EXAMPLES = 10  # for each operation, besides the about fifty that schemathesis derives from what the document declares

made_up_of_the_document = schemathesis.pytest.from_fixture("document")
the_same_each_time = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(request: pytest.FixtureRequest) -> schemathesis.BaseSchema:
    request.node._nodeid = request.node.nodeid  # where schemathesis looks for it: pytest 9.2 keeps it elsewhere
    return schemathesis.openapi.from_dict(openapi(resource_classes(), "0"))
