"""Root's helper isn't there: nobody is let in, and the administrator is told where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Transient
from reconciler.identity.pam import PamAccounts, PamHelper


def test_a_helper_that_isnt_there_is_named_with_its_remedy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    accounts = PamAccounts(PamHelper(tmp_path / "socket"))
    with pytest.raises(Transient, match="root starts `onggi pam`") as raised:
        accounts.proven("kim", "right or wrong")
    assert str(tmp_path) not in str(raised.value), "whoever knocks isn't told where things lie"
    assert f"{tmp_path}/socket isn't answered (No such file or directory)" in caplog.text
