"""Two changes of one document: which belong together, and which contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.writing.three_way import clash, merged

BASE: dict[str, Any] = {"spec": {"memory": 1, "disks": [{"name": "a", "size": 1}], "tags": ["x"]}}


def spec(**fields: Any) -> dict[str, Any]:
    return {"spec": {**BASE["spec"], **fields}}


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        (spec(memory=2), spec(cpus=1), spec(memory=2, cpus=1)),
        (spec(memory=2), spec(memory=2), spec(memory=2)),
        (
            spec(disks=[{"name": "a", "size": 1}, {"name": "b"}]),
            spec(disks=[{"name": "a", "size": 2}, {"name": "c"}]),
            spec(disks=[{"name": "a", "size": 2}, {"name": "c"}, {"name": "b"}]),
        ),
        (spec(disks=[]), spec(memory=3), spec(disks=[], memory=3)),
        (spec(tags=["x", "y"]), spec(tags=["z", "x"]), spec(tags=["z", "x", "y"])),
        (spec(labels={"a": "1"}), spec(labels={"b": "2"}), spec(labels={"b": "2", "a": "1"})),
        (None, BASE, None),
        (BASE, None, None),
        (None, None, None),
    ],
)
def test_changes_of_different_fields_go_together(ours: Any, theirs: Any, both: Any) -> None:
    assert clash(BASE, ours, theirs) == ""
    assert merged(BASE, ours, theirs) == both


@pytest.mark.parametrize(
    ("ours", "theirs", "pointer"),
    [
        (spec(memory=2), spec(memory=3), "/spec/memory"),
        (spec(disks=[]), spec(disks=[{"name": "a", "size": 2}]), "/spec/disks/a"),
        (spec(disks=[{"name": "a", "size": 3}]), spec(disks=[{"name": "a", "size": 2}]), "/spec/disks/a/size"),
        (spec(tags="x"), spec(tags=[]), "/spec/tags"),
        (spec(tags=[["x"]]), spec(tags=[["y"]]), "/spec/tags"),
        (None, spec(memory=2), "/"),
        (spec(memory=2), None, "/"),
    ],
)
def test_changes_of_one_field_clash(ours: Any, theirs: Any, pointer: str) -> None:
    assert clash(BASE, ours, theirs) == pointer


def test_two_new_documents_of_one_name_clash() -> None:
    assert clash(None, {"a": 1}, {"a": 2}) == "/"
    assert clash(None, {"a": 1}, {"a": 1}) == ""
