"""A change that the host fails at for good is taken back, and the failure told whatever comes of that."""

from __future__ import annotations

import pytest

from api.documents.taking_back import taken_back
from api.http.refusal import bad
from reconciler.errors import NotApplied, StateError, Transient
from specs.reference import Ref

REF = Ref("VirtualMachine", "web")
FOR_GOOD = NotApplied("no", reason="Failed", cause=StateError("broken"))


def told(error: Exception, trouble: Exception | None = None) -> tuple[Exception, int]:
    taken = []

    def take_back() -> None:
        taken.append(REF)
        if trouble is not None:
            raise trouble

    with pytest.raises(type(error)) as raised, taken_back(REF, take_back):
        raise error
    return raised.value, len(taken)


def test_what_comes_true_stays() -> None:
    with taken_back(REF, lambda: pytest.fail("it came true")):
        pass


@pytest.mark.parametrize("trouble", [None, Transient("the repository is away"), bad("KCHVM0001E", "No.")])
def test_what_fails_for_good_is_taken_back_and_told(trouble: Exception | None) -> None:
    assert told(FOR_GOOD, trouble) == (FOR_GOOD, 1)


@pytest.mark.parametrize(
    "error",
    [
        NotApplied("slow", reason="Failed", cause=Transient("the guest has yet to let go")),
        NotApplied("not now", reason="NeedsApproval"),
        Transient("it takes longer"),
    ],
)
def test_what_goes_on_by_itself_stays_committed(error: Exception) -> None:
    assert told(error) == (error, 0)
