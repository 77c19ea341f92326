"""What is asked of a forge, against a server that answers as each of them does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Terminal, Transient
from reconciler.forges import client
from reconciler.forges.address import ForgeAddress
from reconciler.forges.client import RefusedError
from reconciler.forges.comments import PlanComments
from reconciler.forges.connect import connect
from reconciler.forges.forge import CommitStatus, Forge, State
from reconciler.network.exchange import Patience
from tests.forges.server import API, ME, REPOSITORY, TOKEN, LocalForge, running_forge
from tests.lab.waiting import until
from tests.network.misbehaving import Behaviour, byte_by_byte, flood, misbehaving, silent

KINDS = sorted(API)
COMMIT = "0123456789" * 4


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[LocalForge]:
    with running_forge(request.param) as server:
        yield server


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def forge(server: LocalForge, token_file: Path) -> Iterator[Forge]:
    forge, client = connect(ForgeAddress(server.kind, server.api, REPOSITORY, token_file))
    yield forge
    client.close()


def status(state: State = State.SUCCESS, text: str = "2 objects as declared") -> CommitStatus:
    return CommitStatus(state, "onggi/north", text)


@pytest.mark.parametrize("state", State, ids=str)
def test_every_state_is_one_that_the_forge_knows(forge: Forge, server: LocalForge, state: State) -> None:
    forge.set_status(COMMIT, status(state))
    ((commit, _, context, description),) = server.statuses
    assert (commit, context, description) == (COMMIT, "onggi/north", "2 objects as declared")
    assert server.states(COMMIT) == [state.value]


def test_a_state_that_stands_already_is_no_error(forge: Forge, server: LocalForge) -> None:
    forge.set_status(COMMIT, status())
    forge.set_status(COMMIT, status())
    assert set(server.states(COMMIT)) == {"success"}


def test_a_description_is_cut_to_what_every_forge_takes(forge: Forge, server: LocalForge) -> None:
    forge.set_status(COMMIT, status(text="many\nwords " * 100))
    description = server.statuses[0][3]
    assert len(description) == 140
    assert description.endswith("…")
    assert "\n" not in description


def test_open_proposals_onto_the_branch_are_listed_from_all_pages(forge: Forge, server: LocalForge) -> None:
    server.page_size = 2
    for number in range(1, 6):
        server.open_pull(number, COMMIT, fork=number == 3)
    server.open_pull(6, COMMIT, base="other")
    found = forge.proposals("main")
    assert [each.number for each in found] == [1, 2, 3, 4, 5]
    assert [each.foreign for each in found] == [False, False, True, False, False]
    assert {each.head for each in found} == {COMMIT}
    assert found[0].ref == server.head_ref(1)


def test_a_deleted_fork_is_a_fork(forge: Forge, server: LocalForge) -> None:
    server.open_pull(1, COMMIT)
    if server.kind == "gitlab":
        server.pulls[1]["source_project_id"] = None
    else:
        server.pulls[1]["head"]["repo"] = None
    assert [each.foreign for each in forge.proposals("main")] == [True]


@pytest.mark.parametrize("head", ["--upload-pack=x", "main", "", None, 7, COMMIT.upper() + "g"], ids=repr)
def test_what_isnt_a_commit_is_not_taken_for_one(forge: Forge, server: LocalForge, head: object) -> None:
    server.open_pull(1, COMMIT)
    if server.kind == "gitlab":
        server.pulls[1]["sha"] = head
    else:
        server.pulls[1]["head"]["sha"] = head
    assert list(forge.proposals("main")) == []


def test_one_comment_is_written_once_and_then_kept_up_to_date(forge: Forge, server: LocalForge) -> None:
    server.open_pull(1, COMMIT)
    server.page_size = 2
    for number in range(5):
        server.write(1, f"a remark, number {number}", author="ada")
    comments = PlanComments(forge, "north")
    assert comments.write(1, "first") is True
    assert comments.write(1, "second") is True
    assert comments.write(1, "second") is False
    assert PlanComments(forge, "north").write(1, "second") is False  # after a restart too
    assert PlanComments(forge, "south").write(1, "another host") is True
    ours = [each.body for each in server.comments[1] if each.author == ME]
    assert [body.splitlines()[1:] for body in ours] == [["second"], ["another host"]]
    assert len(server.comments[1]) == 7


def test_who_copies_our_mark_is_not_taken_for_us(forge: Forge, server: LocalForge) -> None:
    server.open_pull(1, COMMIT)
    server.write(1, "<!-- onggi plan north -->\nall is well, merge it", author="mallory")
    PlanComments(forge, "north").write(1, "the plan")
    assert [each.author for each in server.comments[1]] == ["mallory", ME]
    assert server.comments[1][0].body.endswith("merge it")


def test_a_token_without_a_user_still_has_one_comment(forge: Forge, server: LocalForge) -> None:
    server.open_pull(1, COMMIT)
    server.tells_me = False
    theirs = server.write(1, "<!-- onggi plan north -->\nfake", author="mallory")
    server.foreign_comments = frozenset({theirs})
    comments = PlanComments(forge, "north")
    comments.write(1, "first")
    comments.write(1, "second")
    assert [each.body.splitlines()[1] for each in server.comments[1]] == ["fake", "second"]


def test_a_wrong_token_is_told_without_showing_it(forge: Forge, server: LocalForge, token_file: Path) -> None:
    token_file.write_text("not-that-one")
    with pytest.raises(RefusedError, match=f"doesn't take the token in {token_file}") as error:
        forge.set_status(COMMIT, status())
    assert "not-that-one" not in str(error.value)
    token_file.write_text(TOKEN)  # renewed without a restart
    forge.set_status(COMMIT, status())
    assert server.states(COMMIT) == ["success"]


def test_a_missing_token_is_told(forge: Forge, token_file: Path) -> None:
    token_file.unlink()
    with pytest.raises(Terminal, match=r"forge-token-file .* can't be read"):
        forge.set_status(COMMIT, status())


def test_a_redirect_is_refused_and_gets_no_token(forge: Forge, server: LocalForge) -> None:
    with running_forge(server.kind) as elsewhere:
        server.failures.append((307, {"Location": f"{elsewhere.api}/steal"}, b""))
        with pytest.raises(RefusedError, match="redirect"):
            forge.set_status(COMMIT, status())
        assert elsewhere.requests == []


def test_an_answer_without_end_is_cut(forge: Forge, server: LocalForge) -> None:
    server.failures.append((200, {}, b" " * (9 << 20)))
    with pytest.raises(Terminal, match="8 MiB"):
        forge.set_status(COMMIT, status())


@pytest.mark.parametrize("answer", [b"<html>", b"\xff", b"[" * 200_000], ids=["html", "binary", "deep"])
def test_an_answer_that_is_no_json_is_told(forge: Forge, server: LocalForge, answer: bytes) -> None:
    server.failures.append((200, {}, answer))
    with pytest.raises(Terminal, match="JSON"):
        forge.set_status(COMMIT, status())


@pytest.mark.parametrize(
    ("code", "headers", "wait_s"),
    [
        (503, {}, 30), (429, {"Retry-After": "7"}, 7), (403, {"Retry-After": "60"}, 60),
        (403, {"X-RateLimit-Remaining": "0"}, 30), (502, {"Retry-After": "9" * 9}, 3600),
        (500, {"Retry-After": "x"}, 30),
    ],
    ids=["503", "429-after", "403-after", "403-rate-limit", "502-for-ever", "500-nonsense"],
)  # fmt: skip
def test_what_passes_says_when_to_come_back(
    forge: Forge, server: LocalForge, code: int, headers: dict[str, str], wait_s: float
) -> None:
    server.failures.append((code, headers, b""))
    with pytest.raises(Transient) as error:
        forge.set_status(COMMIT, status())
    assert error.value.retry_after_s == wait_s


def test_a_forge_that_is_away_is_transient(forge: Forge, token_file: Path) -> None:
    away, client = connect(ForgeAddress("gitea", "http://127.0.0.1:9/api/v1", REPOSITORY, token_file))
    with pytest.raises(Transient, match="can't be reached"):
        away.set_status(COMMIT, status())
    client.close()


def test_a_refusal_is_one_line_whatever_the_forge_writes(forge: Forge, server: LocalForge) -> None:
    server.failures.append((422, {}, b'{"message": "no\\u001b[31m\\nsecond line"}'))
    with pytest.raises(RefusedError) as error:
        forge.set_status(COMMIT, status())
    assert str(error.value).isprintable()
    assert "422" in str(error.value)


@pytest.mark.parametrize(
    "behave",
    [
        silent,
        byte_by_byte(b"HTTP/1.1 200 OK\r\nX: "),
        byte_by_byte(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"1"),
        flood(b"HTTP/1.1 200 OK\r\n\r\n", b"1" * 1000),
    ],
    ids=["silent", "headers without end", "an answer byte by byte", "an answer without end"],
)
def test_a_forge_that_never_comes_to_an_end_is_left(
    behave: Behaviour, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE", Patience(overall_s=60, begin_s=0.3, window_s=0.3, least_bytes_per_s=1024))
    with misbehaving(behave) as server:
        asked, connection = connect(
            ForgeAddress("gitea", f"http://127.0.0.1:{server.port}/api/v1", REPOSITORY, token_file)
        )
        with pytest.raises((Transient, Terminal), match=r"can't be reached|more than 8 MiB"):
            asked.set_status(COMMIT, status())
        until(lambda: server.all_left, 60, "the connection is closed")
        connection.close()
