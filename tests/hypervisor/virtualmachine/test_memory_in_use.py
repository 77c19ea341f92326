"""How much of its memory a running machine uses, by what libvirt tells of its balloon."""

from __future__ import annotations

import pytest

from reconciler.hypervisor.virtualmachine.statistics import memory_in_use


@pytest.mark.parametrize(
    ("figures", "percent"),
    [
        ({}, 0.0),
        ({"balloon.current": 1000, "balloon.rss": 250}, 25.0),
        ({"balloon.current": 1000, "balloon.rss": 4000}, 100.0),
        ({"balloon.current": 0, "balloon.rss": 10}, 0.0),
        ({"balloon.current": 1000, "balloon.rss": 900, "balloon.available": 1000, "balloon.unused": 600}, 40.0),
        ({"balloon.available": 1000, "balloon.unused": 100, "balloon.usable": 800}, 20.0),
        # What a guest says of itself isn't to be believed.
        ({"balloon.available": 1, "balloon.unused": 1 << 60}, 0.0),
        ({"balloon.available": 1 << 60, "balloon.unused": 0}, 100.0),
    ],
)
def test_it_is_a_percentage_whatever_the_guest_says(figures: dict[str, int], percent: float) -> None:
    assert memory_in_use(figures) == percent
