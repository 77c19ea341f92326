"""The gates in front of a host, as an agent and the command line pass through them: signatures and sync windows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import libvirt
import pytest

from reconciler.cli import options
from reconciler.ledger.ledger import Ledger
from reconciler.reporting.status_text import agent_conditions
from reconciler.settings.settings import read_settings_file
from reconciler.settings.windows import parse_window
from specs.reference import NETWORK, Ref
from tests.cli.command import Onggi, onggi
from tests.lab.approving import approve_removal
from tests.lab.waiting import until
from tests.source.repositories import WorkTree, git
from tests.source.signing import Signer, commit, ssh_signer
from tests.stories.agents import running_agent

__all__ = ["onggi"]

SHARED = "test:///default"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def hand() -> Iterator[libvirt.virConnect]:
    """Somebody at virsh."""
    connection = libvirt.open(SHARED)
    yield connection
    for network in connection.listAllNetworks():
        if network.name().startswith("hh-"):
            if network.isActive():
                network.destroy()
            network.undefine()
    connection.close()


@pytest.fixture
def ada(tmp_path: Path) -> Signer:
    signer = ssh_signer(tmp_path, "ada")
    (tmp_path / "allowed_signers").write_text(f"ada@example.org {signer.public}\n")
    return signer


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    return WorkTree(tmp_path / "work")


def network(name: str) -> str:
    return f"apiVersion: onggi/v1\nkind: Network\nmetadata:\n  name: {name}\nspec:\n  mode: isolated\n"


def active(hand: libvirt.virConnect) -> set[str]:
    return {found.name() for found in hand.listAllNetworks() if found.isActive() and found.name().startswith("hh-")}


def told(state: Path) -> dict[str, tuple[str, str]]:
    """The agent's own conditions: type → status and message."""
    info = Ledger.open(state, readonly=True).heartbeat.told()
    return {item["type"]: (item["status"], item["message"]) for item in agent_conditions(info)}


def signed_only(tmp_path: Path) -> dict[str, object]:
    return {"require_signed": "head", "allowed_signers": tmp_path / "allowed_signers"}


def test_drift_is_healed_to_the_last_good_commit_while_a_newer_one_waits(
    hand: libvirt.virConnect, tree: WorkTree, ada: Signer, tmp_path: Path
) -> None:
    """argoproj/argo-cd#4414: self-heal to the last synced commit while new commits wait to be approved."""
    state = tmp_path / "state"
    good = commit(tree, ada, {"lab.yaml": network("hh-lab")})
    with running_agent(tree.path, SHARED, state, **signed_only(tmp_path)) as agent:
        assert active(hand) == {"hh-lab"}
        assert told(state)["SourceVerified"][0] == "True"
        waiting = commit(tree, None, {"evil.yaml": network("hh-evil"), "lab.yaml": None})
        until(lambda: told(state)["SourceVerified"][0] == "False", 60, "the unsigned head is told")
        assert told(state)["SourceVerified"][1].startswith(f"The commit {waiting[:12]} on main isn't signed; sign it")
        hand.networkLookupByName("hh-lab").destroy()
        until(lambda: active(hand) == {"hh-lab"}, 60, "the network was started again")
        assert agent.desired is not None
        assert agent.desired.revision.digest == good
        approve_removal(agent, commit(tree, ada))  # the commit vouches for what it builds on
        until(lambda: active(hand) == {"hh-evil"}, 60, "a signed commit on top lets the newer state in")
        assert told(state)["SourceVerified"][0] == "True"


def test_an_agent_that_is_restarted_before_an_unsigned_head_goes_on_with_the_last_good_revision(
    hand: libvirt.virConnect, tree: WorkTree, ada: Signer, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    good = commit(tree, ada, {"lab.yaml": network("hh-lab")})
    with running_agent(tree.path, SHARED, state, **signed_only(tmp_path)):
        assert active(hand) == {"hh-lab"}
    git(tree.path, "checkout", "--quiet", "--orphan", "new")
    commit(tree, None, {"lab.yaml": None, "evil.yaml": network("hh-evil")})
    git(tree.path, "branch", "--quiet", "-M", "new", "main")
    git(tree.path, "reflog", "expire", "--expire=all", "--all")
    git(tree.path, "gc", "--quiet", "--prune=now")  # the good commit isn't in the repository any more
    hand.networkLookupByName("hh-lab").destroy()
    with running_agent(tree.path, SHARED, state, **signed_only(tmp_path)) as agent:
        assert active(hand) == {"hh-lab"}
        assert agent.desired is not None
        assert agent.desired.revision.digest == good
        assert told(state)["SourceVerified"][0] == "False"


def test_every_verb_refuses_an_unsigned_head_with_the_same_sentence(
    onggi: Onggi, tree: WorkTree, ada: Signer, tmp_path: Path
) -> None:
    commit(tree, ada, {"lab.yaml": network("hh-lab")})
    config = tmp_path / "onggi.toml"
    config.write_text(f'require-signed = "head"\nallowed-signers = "{tmp_path}/allowed_signers"\n')
    common = ("--config", config, "--state", tmp_path / "state")
    host = ("--connect", "test:///default")
    assert onggi("plan", tree.path, *common, *host).code == 0
    assert onggi("validate", tree.path, *common).code == 0
    head = commit(tree, None, {"evil.yaml": network("hh-evil")})
    sentence = f"The commit {head[:12]} on main isn't signed; sign it (git commit --amend -S), or put a signed commit"
    for words in (("plan", *host), ("apply", *host), ("run", "--once", *host), ("validate",)):
        verb, *more = words
        done = onggi(verb, tree.path, *common, *more)
        assert done.code == 1
        assert sentence in done.out + done.err
    # In a commit's own hook the commit that could be signed doesn't exist yet.
    assert onggi("validate", tree.path, *common, GIT_INDEX_FILE=".git/index").code == 0


def test_keys_and_the_wish_for_signatures_go_together(onggi: Onggi, tree: WorkTree, tmp_path: Path) -> None:
    alone = onggi("plan", tree.path, "--require-signed", "head")
    assert "name keys by allowed-signers or allowed-gpg-keys" in alone.err
    unused = onggi("plan", tree.path, "--allowed-signers", tmp_path / "allowed_signers")
    assert "set require-signed to head or all" in unused.err


def test_a_rollback_is_followed_where_signatures_are_required(
    hand: libvirt.virConnect, onggi: Onggi, tree: WorkTree, ada: Signer, tmp_path: Path
) -> None:
    commit(tree, ada, {"one.yaml": network("hh-one")})
    commit(tree, ada, {"two.yaml": network("hh-two")})
    for name, value in (("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", str(tmp_path / "ada"))):
        git(tree.path, "config", name, value)
    with running_agent(tree.path, SHARED, tmp_path / "state", **signed_only(tmp_path)) as agent:
        assert active(hand) == {"hh-one", "hh-two"}
        assert onggi("rollback", tree.path).code == 0
        approve_removal(agent, git(tree.path, "rev-parse", "HEAD"))  # half of what there is leaves with it
        until(lambda: active(hand) == {"hh-one"}, 60, "the second network left")
        assert told(tmp_path / "state")["SourceVerified"][0] == "True"


def from_noon(offset_s: float) -> Callable[[], datetime]:
    """A clock that begins so many seconds after noon and goes on as every clock."""
    begin = time.monotonic()
    return lambda: NOON + timedelta(seconds=offset_s + time.monotonic() - begin)


def test_outside_of_its_windows_a_host_is_read_and_told_about_and_left_as_it_is(
    hand: libvirt.virConnect, tree: WorkTree, tmp_path: Path
) -> None:
    commit(tree, None, {"lab.yaml": network("hh-lab")})
    state, window = tmp_path / "state", parse_window("allow 0 22 * * * 1h Europe/Berlin")
    with running_agent(tree.path, SHARED, state, now=from_noon(0), sync_windows=(window,)) as agent:
        assert agent.plan is not None
        assert [step.ref.name for step in agent.plan.steps] == ["hh-lab"]
        assert active(hand) == set()
        sentence = "changes are applied again from 2026-11-24T22:00+01:00"
        assert sentence in told(state)["OutsideWindow"][1]
        status = Ledger.open(state, readonly=True).status.of(Ref(NETWORK, "hh-lab"))
        assert status is not None
        (ready,) = [item for item in status.conditions if item.type == "Ready"]
        assert (ready.status, ready.reason) == (False, "OutsideWindow")
        assert sentence in ready.message


def test_a_deny_window_wins_and_holds_back_the_healing_of_drift_too(
    hand: libvirt.virConnect, tree: WorkTree, tmp_path: Path
) -> None:
    commit(tree, None, {"lab.yaml": network("hh-lab")})
    state = tmp_path / "state"
    with running_agent(tree.path, SHARED, state, now=from_noon(0)):
        assert active(hand) == {"hh-lab"}
    hand.networkLookupByName("hh-lab").destroy()
    windows = tuple(map(parse_window, ("allow * * * * * 1d", "deny 0 9 * * * 8h")))
    with running_agent(tree.path, SHARED, state, now=from_noon(0), sync_windows=windows):
        assert active(hand) == set()
        assert "deny '0 9 * * *' for 8h (UTC) is open" in told(state)["OutsideWindow"][1]


def test_the_agent_begins_when_a_window_opens(hand: libvirt.virConnect, tree: WorkTree, tmp_path: Path) -> None:
    commit(tree, None, {"lab.yaml": network("hh-lab")})
    state, window = tmp_path / "state", parse_window("allow 0 12 * * * 1h")
    with running_agent(tree.path, SHARED, state, now=from_noon(-4), sync_windows=(window,)):
        until(lambda: active(hand) == {"hh-lab"}, 60, "the window opened and the network was made")
        until(lambda: "OutsideWindow" not in told(state), 60, "the condition is gone")


def always_closed() -> str:
    return "deny * * * * * 1d"


def test_apply_by_hand_minds_the_windows_unless_told_otherwise(onggi: Onggi, tree: WorkTree, tmp_path: Path) -> None:
    commit(tree, None, {"lab.yaml": network("hh-lab")})
    config = tmp_path / "onggi.toml"
    config.write_text(
        '[[sync-window]]\nkind = "deny"\nschedule = "* * * * *"\nduration = "1d"\ntimezone = "Asia/Seoul"\n'
    )
    words = ("apply", tree.path, "--connect", "test:///default", "--state", tmp_path / "state", "--config", config)
    refused = onggi(*words)
    assert refused.code == 1
    assert "Nothing is applied now: the sync window deny '* * * * *' for 1d (Asia/Seoul) is open" in refused.err
    done = onggi(*words, "--outside-window")
    assert done.code == 0, done.err
    assert "applying nevertheless" in done.err
    assert "1 created" in done.out


def test_one_pass_outside_of_a_window_tells_what_is_left_to_do(onggi: Onggi, tree: WorkTree, tmp_path: Path) -> None:
    commit(tree, None, {"lab.yaml": network("hh-lab")})
    words = ("run", "--once", tree.path, "--connect", "test:///default", "--state", tmp_path / "state")
    done = onggi(*words, ONGGI_SYNC_WINDOW=f"{always_closed()}; allow 0 1 1 1 * 1h")
    assert done.code == 1
    assert "nothing is applied: the sync window deny" in done.err
    assert "0 steps done, 1 left" in done.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('sync-window = ["allow"]', "tables of its own"),
        ('[[sync-window]]\nkind = "maybe"\nschedule = "* * * * *"\nduration = "1h"', "give allow or deny"),
        ('[[sync-window]]\nkind = "deny"\nduration = "1h"', "lacks schedule"),
    ],
    ids=["texts", "an unknown kind", "no schedule"],
)
def test_a_window_that_cannot_be_is_refused_before_anything_is_done(
    text: str, sentence: str, onggi: Onggi, tree: WorkTree, tmp_path: Path
) -> None:
    (tmp_path / "onggi.toml").write_text(text)
    done = onggi("apply", tree.path, "--config", tmp_path / "onggi.toml")
    assert done.code == 1
    assert sentence in done.err


def test_the_settings_that_the_documentation_shows_are_taken(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/git.md").read_text()
    file = tmp_path / "onggi.toml"
    file.write_text("".join(re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)))
    found = read_settings_file(file, options.FILE_KEYS)
    assert {"require-signed", "allowed-signers", "allowed-gpg-keys", "revoked-signers"} < found.keys()
    assert [str(parse_window(table)) for table in found["sync-window"]] == [
        "allow '0 22 * * 1-5' for 4h (Europe/Berlin)",
        "deny '0 0 20 12 *' for 14d (UTC)",
    ]


def test_the_status_shows_both_gates(onggi: Onggi, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with Ledger.open(state) as ledger:
        ledger.heartbeat.tell(
            revision="main@sha1:1234",
            source_problem="The commit 123 on main isn't signed; sign it.",
            source_verified="false",
            outside_window="no sync window that allows changes is open",
        )
    text = onggi("status", "--state", state).out
    assert "Verified:   no; the last good revision stays in force" in text
    assert "Problem:    The commit 123 on main isn't signed" in text
    assert "Changes:    no sync window that allows changes is open" in text
    found = onggi("status", "--state", state, "-o", "json").json["agent"]["conditions"]
    assert [(item["type"], item["status"]) for item in found] == [
        ("SourceVerified", "False"),
        ("OutsideWindow", "True"),
    ]
