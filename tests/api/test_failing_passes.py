"""While no pass comes through, health checks say so and why, and whoever waits for a pass is answered soon."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.api.live import LiveApi
from tests.lab.waiting import until


def test_a_failing_pass_is_told_with_its_place_and_never_with_what_the_error_says(
    api: LiveApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = 0

    def fails(*_arguments: Any, **_more: Any) -> None:
        nonlocal failures
        failures += 1
        raise ValueError("a-secret-word")

    assert api.client.get("/healthz").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr("reconciler.loop.passes.conditions", fails)
        patch.setattr("reconciler.loop.passes._PATIENCE_S", 0.5)
        api.agent.queue.changed(None)
        until(lambda: failures > 1, 60, "passes fail")
        for path in ("/healthz", "/readyz"):
            answer = api.client.get(path)
            assert answer.status_code == 503
            assert "ValueError at reconciler.loop.passes:" in answer.json()["reason"]
            assert "a-secret-word" not in answer.text
        refused = api.client.post("/networks", json={"name": "later", "connection": "isolated"})
        assert refused.status_code == 503
        assert "is committed" in refused.json()["reason"]
        assert "ValueError" in refused.json()["reason"]
    traces = [record for record in caplog.records if record.name == "onggi.agent" and record.exc_info]
    assert len(traces) == 1, "the trace is logged once, however many passes fail"
    assert traces[0].levelno == logging.ERROR
    until(lambda: api.client.get("/networks/later").status_code == 200, 60, "what was committed comes true")
    assert api.client.get("/healthz").status_code == 200
