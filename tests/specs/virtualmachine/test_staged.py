"""The annotation that lets a change wait for the next boot, and ends by itself."""

from __future__ import annotations

import pytest

from specs.virtualmachine.compute.staged import next_boot_fields, with_next_boot


@pytest.mark.parametrize(
    ("annotation", "spec", "waits"),
    [
        ("", {"memory": 2048}, set()),
        ("memory=2048", {"memory": 2048}, {"memory"}),
        ("memory=2048", {"memory": "2GiB"}, {"memory"}),
        ("memory=2048", {"memory": 1024}, set()),
        ("memory=2048", {}, set()),
        ("memory=2048, cpus=2", {"memory": 2048, "cpus": 2}, {"memory", "cpus"}),
        ("memory=2048,cpus=2", {"memory": 2048, "cpus": 4}, {"memory"}),
    ],
)
def test_a_field_waits_while_it_has_the_value_that_was_put_off(
    annotation: str, spec: dict[str, object], waits: set[str]
) -> None:
    assert next_boot_fields(annotation, spec) == waits


def test_the_newest_value_of_a_field_takes_the_place_of_the_one_before() -> None:
    first = with_next_boot("", "memory", "2GiB")
    assert first == "memory=2048"
    assert with_next_boot(with_next_boot(first, "cpus", 3), "memory", 512) == "cpus=3, memory=512"
