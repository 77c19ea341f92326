"""Logins that aren't through yet: each is one browser's, once, and for a while."""

from __future__ import annotations

import base64
import hashlib

from reconciler.identity.oidc.flows import KEPT_S, Flows


class Now:
    s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_a_login_is_ended_once_and_by_the_browser_that_began_it() -> None:
    flows = Flows(Now())
    flow, state, browser = flows.begin("https://here/back", "/", "192.0.2.1")
    _, other_state, other = flows.begin("https://here/back", "/", "192.0.2.1")
    assert flows.take(state, other) is None
    assert flows.take(state, "") is None
    assert flows.take(other_state, browser) is None
    assert flows.take("", browser) is None
    assert flows.take(state, browser) == flow
    assert flows.take(state, browser) is None


def test_one_that_takes_too_long_is_over() -> None:
    now = Now()
    flows = Flows(now)
    _, state, browser = flows.begin("https://here/back", "/", "192.0.2.1")
    now.s += KEPT_S + 1
    assert flows.take(state, browser) is None
    assert len(flows) == 0


def test_who_begins_many_forgets_their_own_and_nobody_elses() -> None:
    flows = Flows(Now())
    _, state, browser = flows.begin("https://here/back", "/", "192.0.2.1")
    for _ in range(500):
        flows.begin("https://here/back", "/", "192.0.2.2")
    assert len(flows) == 101
    assert flows.take(state, browser) is not None


def test_nothing_secret_is_in_its_text_and_the_challenge_is_the_verifiers_hash() -> None:
    flow, state, browser = Flows(Now()).begin("https://here/back", "/", "192.0.2.1")
    for secret in (flow.nonce, flow.verifier, state, browser):
        assert len(secret) >= 43 and secret not in repr(flow)
    assert base64.urlsafe_b64decode(flow.challenge + "=") == hashlib.sha256(flow.verifier.encode()).digest()
