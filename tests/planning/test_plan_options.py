"""How a length of time is said."""

from __future__ import annotations

import pytest

from reconciler.planning.plan_options import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7 * 86_400.0, "7 days"),
        (86_400.0, "1 day"),
        (36 * 3_600.0, "36 hours"),
        (3_600.0, "1 hour"),
        (90 * 60.0, "90 minutes"),
        (60.0, "1 minute"),
        (61.0, "61 seconds"),
        (5.0, "5 seconds"),
        (0.5, "0.5 seconds"),
        (0.0, "0 seconds"),
    ],
)
def test_the_largest_unit_of_which_it_is_a_whole_number(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
