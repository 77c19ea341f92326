"""A Distribution: an installation image at a place that can be one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specs.document import parse
from specs.validate import validate


def sentences(spec: Any) -> list[str]:
    body = {"apiVersion": "onggi/v1", "kind": "Distribution", "metadata": {"name": "Rice 1"}, "spec": spec}
    found = parse("a.yaml", json.dumps(body).encode())
    return [str(each) for each in (*found.problems, *(p for d in found.documents for p in validate(d)))]


@pytest.mark.parametrize(
    "path", ["/isos/rice-1.iso", "https://example.org/rice.iso?a=1", "ftp://[::1]:21/rice.iso", "tftp://host/rice.iso"]
)
def test_an_image_is_a_path_or_a_url(path: str) -> None:
    assert sentences({"path": path, "osDistro": "rice", "osVersion": "1", "osArch": "x86_64"}) == []


@pytest.mark.parametrize(
    "spec",
    [
        None, {}, {"path": 5}, {"path": ""}, {"path": "relative.iso"}, {"path": "/isos/rice 1.iso"}, {"path": "file:///etc/shadow"},
        {"path": "https://"}, {"path": "https://[::1/x.iso"}, {"path": "https://h:99999/x.iso"},
        {"path": "https://user:secret@example.org/x.iso"}, {"path": "/isos/a\nb.iso"},
        {"path": "/x.iso", "osVersion": 12}, {"path": "/x.iso", "extra": "1"},
    ],
)  # fmt: skip
def test_anything_else_is_told(spec: Any) -> None:
    assert sentences(spec)
