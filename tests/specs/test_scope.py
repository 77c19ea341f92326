"""Two readers of one repository: when they are the same, and when one holds what the other declares."""

from __future__ import annotations

import pytest

from specs.scope import Scope, scope_from

ALL, VMS, DEEP = Scope("r", "main", ""), Scope("r", "main", "vms"), Scope("r", "main", "vms/web")
OTHER, NEXT, OLD, NO_BRANCH = Scope("s", "main", ""), Scope("r", "next", ""), Scope("r"), Scope("r", "", "")


@pytest.mark.parametrize(
    ("one", "other", "agrees", "holds"),
    [
        (ALL, ALL, True, True),
        (ALL, VMS, False, True),
        (VMS, DEEP, False, True),
        (VMS, Scope("r", "main", "vms2"), False, False),
        (DEEP, VMS, False, False),
        (ALL, OTHER, False, False),
        (ALL, NEXT, False, False),
        (ALL, OLD, True, False),
        (OTHER, OLD, False, False),
        (ALL, NO_BRANCH, True, True),
    ],
)
def test_what_is_not_said_is_no_difference(one: Scope, other: Scope, agrees: bool, holds: bool) -> None:
    assert (one.agrees(other), other.agrees(one), one.holds(other)) == (agrees, agrees, holds)


@pytest.mark.parametrize("scope", [ALL, DEEP, OLD, NO_BRANCH])
def test_a_scope_is_written_and_read(scope: Scope) -> None:
    assert scope_from(scope.to_text()) == scope


@pytest.mark.parametrize("text", ["", "[]", "{", "7", '["a"]'])
def test_what_is_no_scope_is_none(text: str) -> None:
    assert scope_from(text) is None
