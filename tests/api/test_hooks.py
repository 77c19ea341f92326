"""Webhooks on a real server: who is let in, who isn't, and that nothing but a fetch ever comes of it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from falcon.testing import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.hooks import resource as hooks
from api.hooks.deliveries import Deliveries
from api.hooks.providers import PROVIDERS
from api.server import Server
from api.services import Services, Webhooks
from reconciler.errors import Terminal
from tests.api.webhooks import MANNERS, PUSH, SECRET, Headers, generic, github, gitlab, hex_hmac, standard

MIB = 1024 * 1024


@dataclass
class Agent:
    """What the hooks see of an agent: how often they asked for a fetch, and the secrets in force."""

    fetches: int = 0
    secrets: tuple[bytes, ...] = (SECRET,)
    problem: str = ""
    services: Services = field(init=False)

    def __post_init__(self) -> None:
        self.services = Services(
            ready=lambda: True,
            alive=lambda: True,
            info=dict,
            webhooks=Webhooks(self.fetch_now, self.webhook_secrets),
        )

    def fetch_now(self) -> None:
        self.fetches += 1

    def webhook_secrets(self) -> tuple[bytes, ...]:
        if self.problem:
            raise Terminal(self.problem)
        return self.secrets


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def server(agent: Agent) -> Iterator[Server]:
    server = Server(create_app(agent.services), "127.0.0.1:0")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def post(client: httpx.Client, provider: str, headers: Headers, body: bytes = PUSH) -> httpx.Response:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return client.post(f"/hooks/{provider}", content=body, headers=raw)


def is_error(answer: httpx.Response, status: int) -> bool:
    body = answer.json()
    return answer.status_code == status and body.keys() == {"code", "reason"} and body["code"].startswith(str(status))


@pytest.mark.parametrize("manner", MANNERS)
def test_a_genuine_push_of_every_forge_has_the_source_fetched(client: httpx.Client, agent: Agent, manner: str) -> None:
    # argoproj/argo-cd#7893 and #8596: up to five minutes until a push is noticed
    provider, sign = MANNERS[manner]
    answer = post(client, provider, sign(PUSH))
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert agent.fetches == 1
    assert agent.services.webhooks.requests == {(provider, "accepted"): 1}


@pytest.mark.parametrize("manner", MANNERS)
def test_another_secret_is_refused(client: httpx.Client, agent: Agent, manner: str) -> None:
    provider, sign = MANNERS[manner]
    answer = post(client, provider, sign(PUSH, secret=b"a guess"))
    assert is_error(answer, 403)
    assert "secret" in answer.json()["reason"]
    assert agent.fetches == 0
    assert agent.services.webhooks.requests == {(provider, "forged"): 1}


@pytest.mark.parametrize("manner", [name for name in MANNERS if name != "gitlab-token"])
def test_one_changed_byte_of_the_body_is_noticed(client: httpx.Client, agent: Agent, manner: str) -> None:
    provider, sign = MANNERS[manner]
    assert is_error(post(client, provider, sign(PUSH), PUSH[:-1] + b" "), 403)
    assert agent.fetches == 0


@pytest.mark.parametrize("manner", MANNERS)
def test_a_proof_of_nothing_is_refused(client: httpx.Client, agent: Agent, manner: str) -> None:
    provider, sign = MANNERS[manner]
    for name in sign(PUSH):
        if any(word in name.lower() for word in ("signature", "token")):
            for value in ("", "sha256=", "v1,", "é", "0" * 64, "sha256=" + "g" * 64):
                assert is_error(post(client, provider, sign(PUSH) | {name: value}), 403)
            assert is_error(post(client, provider, {key: each for key, each in sign(PUSH).items() if key != name}), 403)
    assert agent.fetches == 0


@pytest.mark.parametrize("manner", MANNERS)
def test_without_a_secret_every_webhook_is_refused(client: httpx.Client, agent: Agent, manner: str) -> None:
    # CVE-2025-59531: an unset secret must close the door, not open it
    provider, sign = MANNERS[manner]
    agent.secrets = ()
    answer = post(client, provider, sign(PUSH, secret=b""))
    assert is_error(answer, 403)
    assert "webhook-secret-file" in answer.json()["reason"]
    agent.problem = "The webhook-secret-file /x is empty; write the secret into it."
    assert is_error(post(client, provider, sign(PUSH)), 403)
    assert agent.fetches == 0


def test_githubs_old_signature_alone_is_refused(client: httpx.Client, agent: Agent) -> None:
    import hashlib
    import hmac

    old = f"sha1={hmac.new(SECRET, PUSH, hashlib.sha1).hexdigest()}"
    assert is_error(post(client, "github", {"X-GitHub-Event": "push", "X-Hub-Signature": old}), 403)
    assert is_error(post(client, "github", {"X-GitHub-Event": "push", "X-Hub-Signature-256": old}), 403)
    assert agent.fetches == 0


def test_while_a_secret_is_renewed_the_old_and_the_new_are_good(client: httpx.Client, agent: Agent) -> None:
    agent.secrets = (b"new", b"old")
    assert post(client, "github", github(b"1", secret=b"new"), b"1").status_code == 202
    assert post(client, "github", github(b"2", secret=b"old"), b"2").status_code == 202
    assert post(client, "github", github(b"3", secret=b"older"), b"3").status_code == 403
    assert agent.fetches == 2


def test_a_secret_in_the_notation_of_standard_webhooks_is_decoded(client: httpx.Client, agent: Agent) -> None:
    agent.secrets = (b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",)
    import base64

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert post(client, "gitlab", standard(PUSH, secret=key)).status_code == 202


@pytest.mark.parametrize("manner", MANNERS)
def test_a_repeated_delivery_is_refused(client: httpx.Client, agent: Agent, manner: str) -> None:
    provider, sign = MANNERS[manner]
    headers = sign(PUSH)
    assert post(client, provider, headers).status_code == 202
    answer = post(client, provider, headers)
    assert is_error(answer, 409)
    assert agent.fetches == 1
    assert agent.services.webhooks.requests[provider, "repeated"] == 1


@pytest.mark.parametrize("manner", ["github", "gitea", "forgejo"])
def test_a_signed_body_under_another_delivery_id_is_a_repeat_too(
    client: httpx.Client, agent: Agent, manner: str
) -> None:
    provider, sign = MANNERS[manner]
    assert post(client, provider, sign(PUSH)).status_code == 202
    assert is_error(post(client, provider, sign(PUSH)), 409)
    assert agent.fetches == 1


def test_gitlabs_token_lets_equal_pushes_through_when_their_ids_differ(client: httpx.Client, agent: Agent) -> None:
    assert post(client, "gitlab", gitlab(PUSH)).status_code == 202
    assert post(client, "gitlab", gitlab(PUSH)).status_code == 202
    assert agent.fetches == 2


def test_a_refused_delivery_may_come_again_once_the_secret_is_right(client: httpx.Client, agent: Agent) -> None:
    headers = github(PUSH)
    agent.secrets = (b"not yet",)
    assert post(client, "github", headers).status_code == 403
    agent.secrets = (SECRET,)
    assert post(client, "github", headers).status_code == 202


@pytest.mark.parametrize("away_s", [-3600, -301, 301, 10**9], ids=str)
def test_a_signature_of_another_time_is_refused(client: httpx.Client, agent: Agent, away_s: int) -> None:
    answer = post(client, "gitlab", standard(PUSH, at=time.time() + away_s))
    assert is_error(answer, 403)
    assert "clocks" in answer.json()["reason"]
    assert agent.fetches == 0


def test_a_greeting_is_answered_and_fetches_nothing(client: httpx.Client, agent: Agent) -> None:
    answer = post(client, "github", github(b"{}", event="ping"), b"{}")
    assert (answer.status_code, answer.json()) == (200, {"accepted": False})
    assert agent.fetches == 0


@pytest.mark.parametrize(
    ("manner", "event"),
    [
        ("github", "issues"), ("github", "issue_comment"), ("gitea", "issues"), ("gitea", "pull_request_comment"),
        ("forgejo", "release"), ("gitlab-token", "Note Hook"), ("gitlab-signature", "Issue Hook"),
    ],
)  # fmt: skip
def test_what_changes_no_commit_is_taken_and_fetches_nothing(
    client: httpx.Client, agent: Agent, manner: str, event: str
) -> None:
    provider, sign = MANNERS[manner]
    answer = post(client, provider, sign(PUSH, event=event))
    assert (answer.status_code, answer.json()) == (202, {"accepted": False})
    assert agent.fetches == 0
    assert agent.services.webhooks.requests == {(provider, "ignored"): 1}


def test_an_announced_body_over_the_cap_is_refused_before_a_byte_of_it_is_read(server: Server, agent: Agent) -> None:
    # CVE-2024-40634: an endless body of somebody unknown ate the memory
    head = f"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: {3 * MIB + 1}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")  # and nothing of the body was sent
    assert agent.services.webhooks.requests == {("github", "too_large"): 1}


def test_a_body_of_unknown_length_is_cut_at_the_cap(client: httpx.Client, agent: Agent) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 * MIB:
            sent += 64 * 1024
            yield b"x" * 64 * 1024

    try:
        answer = client.post("/hooks/github", content=endless(), headers=github(b""))
    except httpx.WriteError:  # the server hung up while we wrote, which is as good
        pass
    else:
        assert is_error(answer, 413)
    assert agent.services.webhooks.requests == {("github", "too_large"): 1}
    assert agent.fetches == 0


@pytest.mark.parametrize("size", [3 * MIB, 3 * MIB + 1], ids=["at-the-cap", "a-byte-more"])
def test_the_cap_is_three_mebibytes(client: httpx.Client, agent: Agent, size: int) -> None:
    body = b"x" * size
    assert post(client, "generic", generic(body), body).status_code == (202 if size == 3 * MIB else 413)


def test_a_body_that_never_ends_is_given_up(server: Server, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BODY_TIME_S", 0.2)
    head = "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert agent.fetches == 0


def test_too_many_at_once_are_asked_to_come_again(
    server: Server, client: httpx.Client, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_AT_ONCE", 0)
    assert is_error(post(client, "github", github(PUSH)), 503)
    assert agent.fetches == 0


def test_an_unknown_provider_is_not_found(client: httpx.Client, agent: Agent) -> None:
    answer = post(client, "bitbucket", github(PUSH))
    assert is_error(answer, 404)
    assert "github" in answer.json()["reason"]
    assert agent.services.webhooks.requests == {}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_posts_are_taken(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/hooks/github")
    assert is_error(answer, 405)
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"0", b'"text"', b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"ref": 7, "repository": []}'],
    ids=["empty", "null", "list", "number", "text", "cut", "not-text", "deep", "other-types"],
)
@pytest.mark.parametrize("manner", MANNERS)
def test_a_body_of_any_shape_does_no_harm(client: httpx.Client, agent: Agent, manner: str, body: bytes) -> None:
    # CVE-2025-59531: a field of an unexpected type ended the process
    provider, sign = MANNERS[manner]
    assert post(client, provider, sign(body), body).status_code == 202
    assert is_error(post(client, provider, sign(body, secret=b"x"), body), 403)


def test_the_secret_is_in_no_answer_and_no_log(
    client: httpx.Client, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for provider, sign in MANNERS.values():
            for headers in (sign(PUSH), sign(PUSH), sign(PUSH, secret=b"wrong"), {}):
                answer = post(client, provider, headers)
                for secret in (SECRET.decode(), hex_hmac(PUSH)):
                    assert secret not in answer.text
                    assert secret not in "\n".join(
                        record.getMessage() for record in caplog.records if record.name.startswith("onggi")
                    )


def test_refusals_do_not_fill_the_log(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        post(client, "github", {})
    assert sum("was refused" in record.getMessage() for record in caplog.records) == 1


header_values = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
NAMES = sorted({name for _, sign in MANNERS.values() for name in sign(b"")})


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    provider=st.sampled_from(sorted(PROVIDERS)) | st.text(max_size=10),
    headers=st.dictionaries(st.sampled_from(NAMES), header_values),
    body=st.binary(max_size=200)
    | st.recursive(st.none() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode()),
)
def test_whatever_a_stranger_sends_is_refused_and_never_breaks(provider: str, headers: Headers, body: bytes) -> None:
    agent = Agent()
    client = TestClient(create_app(agent.services))
    from urllib.parse import quote

    answer = client.simulate_post(f"/hooks/{quote(provider, safe='')}", body=body, headers=headers)
    assert answer.status_code in (403, 404)
    assert agent.fetches == 0


@settings(deadline=None)
@given(st.binary(max_size=500), st.sampled_from(sorted(MANNERS)), st.binary(min_size=1, max_size=40))
def test_who_knows_the_secret_is_let_in_once_whatever_is_sent(body: bytes, manner: str, secret: bytes) -> None:
    provider, sign = MANNERS[manner]
    found = PROVIDERS[provider]
    if manner == "gitlab-token":
        secret = secret.hex().encode()
    headers = {name.lower(): value for name, value in sign(body, secret=secret).items()}

    def header(name: str) -> str | None:
        return headers.get(name.lower())

    found.proof(header, body, (b"another", secret), time.time())
    seen = Deliveries()
    assert seen.first(found.delivered(header, body))
    assert not seen.first(found.delivered(header, body))


def test_deliveries_are_forgotten_after_their_time() -> None:
    now = 0.0
    seen = Deliveries(kept_s=10, clock=lambda: now)
    assert seen.first(["a"])
    now = 9.9
    assert not seen.first(["a"])
    now = 10.1
    assert seen.first(["a"])


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(1, 10))
def test_the_memory_of_deliveries_is_bounded_and_keeps_the_newest(ids: list[int], most: int) -> None:
    seen = Deliveries(kept_most=most, clock=lambda: 0.0)
    for each in ids:
        seen.first([str(each)])
        assert len(seen) <= most + 1
        assert not seen.first([str(each)])


def test_a_thousand_webhooks_are_answered_and_ask_for_fetches_only(server: Server, agent: Agent) -> None:
    async def storm() -> list[int]:
        async with httpx.AsyncClient(
            base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=20)
        ) as client:
            bodies = [str(number).encode() for number in range(1000)]
            answers = await asyncio.gather(
                *(client.post("/hooks/github", content=body, headers=github(body)) for body in bodies)
            )
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(storm())) == {202}
    assert agent.services.webhooks.requests["github", "accepted"] == 1000
