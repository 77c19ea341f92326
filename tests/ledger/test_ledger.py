"""What the ledger keeps, across restarts, processes, full disks and damaged files."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import StateError
from reconciler.ledger.database import DATABASE_NAME
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.migrations import MIGRATIONS
from reconciler.planning.ownership import Owned
from reconciler.status.suspension import ALL
from specs.reference import NETWORK, VIRTUAL_MACHINE, Ref
from tests.lab.small_disk import SmallDisk

WEB = Ref(VIRTUAL_MACHINE, "tf-web")
LAN = Ref(NETWORK, "tf-lan")
ROOT = Ref.volume("default", "tf-web-root.qcow2")


def run(code: str, folder: Path, stdin: int | None = None) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", "import sys\nfrom pathlib import Path\n" + code, str(folder)]
    return subprocess.Popen(program, stdin=stdin, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path)


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_ENTRIES = st.builds(
    Owned,
    ref=st.builds(Ref, st.sampled_from([VIRTUAL_MACHINE, NETWORK]), _NAMES),
    uid=_NAMES,
    path=_NAMES,
    deletion=st.sampled_from(["Retain", "Delete"]),
    parent=st.none() | st.builds(Ref.volume, st.sampled_from(["a", "b"]), _NAMES),
    created=st.booleans(),
    seed=st.booleans(),
    facts=st.dictionaries(_NAMES, _NAMES, max_size=3),
)


@given(entries=st.lists(_ENTRIES, max_size=5, unique_by=lambda entry: entry.ref))
def test_what_is_owned_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, entries: list[Owned]) -> None:
    folder = tmp_path_factory.mktemp("state")
    with Ledger.open(folder) as ledger:
        ledger.change(own=entries)
        assert dict(ledger.ownership.all()) == {entry.ref: entry for entry in entries}
    with Ledger.open(folder, readonly=True) as reader:
        assert dict(reader.ownership.all()) == {entry.ref: entry for entry in entries}


def test_the_mapping_of_owned_objects_is_a_value(ledger: Ledger) -> None:
    ledger.change(own=[Owned(WEB, "u1")])
    before = ledger.ownership.all()
    ledger.change(own=[Owned(LAN, "u2")])
    ledger.change(disown=[WEB])
    assert set(before) == {WEB}
    assert set(ledger.ownership.all()) == {LAN}


def test_entries_from_many_threads_are_all_kept(ledger: Ledger, tmp_path: Path) -> None:
    def own(number: int) -> None:
        for each in range(20):
            ledger.change(own=[Owned(Ref(NETWORK, f"{number}-{each}"), "u")])

    threads = [threading.Thread(target=own, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.ownership.all()) == 120
    assert ledger.ownership.all() == Ledger.open(tmp_path, readonly=True).ownership.all()


def test_what_was_begun_is_unfinished_for_the_next_start_and_not_while_it_is_being_made(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as first:
        first.change(begin=[ROOT], note="main@sha1:1")
        assert first.intents.unfinished() == ()
    with Ledger.open(tmp_path) as second:
        assert second.intents.unfinished() == (ROOT,)
        second.change(finish=[ROOT])
        assert second.intents.unfinished() == ()
        second.change(begin=[ROOT], note="main@sha1:2")
        second.intents.give_up([ROOT])
        assert second.intents.unfinished() == (ROOT,)


def test_a_process_that_is_killed_leaves_whole_transactions_only(tmp_path: Path) -> None:
    code = """
from reconciler.ledger.ledger import Ledger
from reconciler.planning.ownership import Owned
from specs.reference import Ref
ledger = Ledger.open(Path(sys.argv[1]))
for batch in range(10**6):
    ledger.change(own=([Owned(Ref("Network", f"{batch}/{number}"), "u") for number in range(400)]))
    print(batch, flush=True)
"""
    for round_ in range(3):
        folder = tmp_path / str(round_)
        folder.mkdir()
        process = run(code, folder)
        assert process.stdout is not None
        committed = [process.stdout.readline() for _ in range(3 + round_)]
        process.send_signal(signal.SIGKILL)
        committed += process.stdout.read().splitlines()
        process.wait()
        with Ledger.open(folder) as ledger:
            batches: dict[str, int] = {}
            for ref in ledger.ownership.all():
                batch = ref.name.partition("/")[0]
                batches[batch] = batches.get(batch, 0) + 1
        assert set(batches.values()) == {400}
        assert {line.strip() for line in committed} <= batches.keys()


def test_a_killed_process_takes_its_open_transaction_with_it(tmp_path: Path) -> None:
    code = """
from reconciler.ledger.opening import open_for_writing
from reconciler.clock import utc_now
connection = open_for_writing(Path(sys.argv[1]) / "onggi.db", clock=utc_now, set_aside=True)
connection.execute("INSERT INTO suspended (kind, name) VALUES ('Network', 'kept')")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
connection.executemany("INSERT INTO suspended (kind, name) VALUES ('Network', ?)", ((str(n),) for n in range(100000)))
print("in the middle", flush=True)
sys.stdin.read()
"""
    process = run(code, tmp_path, stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert (tmp_path / f"{DATABASE_NAME}-wal").stat().st_size > 0
    process.kill()
    process.communicate()
    with Ledger.open(tmp_path) as ledger:
        assert ledger.decisions.suspended() == {Ref(NETWORK, "kept")}


@pytest.mark.parametrize("damage", ["not a database", "torn page"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begins(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / DATABASE_NAME
    with Ledger.open(tmp_path) as ledger:
        ledger.change(own=(Owned(Ref(NETWORK, str(number)), "u" * 100) for number in range(500)))
    content = bytearray(database.read_bytes())
    if damage == "not a database":
        content[:] = b"letters to grandmother" * 100
    else:
        content[8192:16384] = os.urandom(8192)
    database.write_bytes(content)

    moment = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    with Ledger.open(tmp_path, clock=lambda: moment) as ledger:
        assert ledger.ownership.all() == {}
        ledger.change(own=[Owned(WEB, "u1")])
    assert (tmp_path / f"{DATABASE_NAME}.corrupt-20260131T120000Z").read_bytes() == content
    assert "no object is touched" in caplog.text
    with Ledger.open(tmp_path) as ledger:
        assert set(ledger.ownership.all()) == {WEB}


def test_only_the_holder_of_the_lock_sets_a_damaged_file_aside(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"letters to grandmother" * 100)
    reader = Ledger.open(tmp_path, readonly=True)
    with pytest.raises(StateError, match="damaged; the agent sets it aside"):
        reader.ownership.all()
    with pytest.raises(StateError, match="damaged; the agent sets it aside"):
        reader.decisions.suspend(WEB)
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE_NAME]


def test_a_file_of_a_newer_onggi_is_left_as_it_is(tmp_path: Path) -> None:
    Ledger.open(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    for readonly in (False, True):
        with pytest.raises(StateError, match="written by a newer onggi"):
            Ledger.open(tmp_path, readonly=readonly).ownership.all()


def test_every_version_of_the_layout_migrates_to_the_present_one(tmp_path: Path) -> None:
    for known in range(len(MIGRATIONS)):
        folder = tmp_path / str(known)
        folder.mkdir()
        with sqlite3.connect(folder / DATABASE_NAME, isolation_level=None) as connection:
            for statements in MIGRATIONS[:known]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {known}")
        with Ledger.open(folder) as ledger:
            ledger.change(own=[Owned(WEB, "u")])
            assert set(ledger.ownership.all()) == {WEB}


def test_a_full_disk_is_said_and_loses_nothing(small_disk: SmallDisk) -> None:
    kept = [Owned(Ref(NETWORK, f"kept-{number}"), "u") for number in range(10)]
    with Ledger.open(small_disk.path) as ledger:
        ledger.change(own=kept)
        small_disk.fill()
        with pytest.raises(StateError, match="full"):
            ledger.change(own=(Owned(Ref(NETWORK, f"new-{number}"), "u" * 100) for number in range(3000)))
        assert set(ledger.ownership.all()) == {entry.ref for entry in kept}
        assert set(Ledger.open(small_disk.path, readonly=True).ownership.all()) == {entry.ref for entry in kept}
        small_disk.empty()
        ledger.change(own=[Owned(WEB, "u")])
    with Ledger.open(small_disk.path) as ledger:
        assert set(ledger.ownership.all()) == {WEB, *(entry.ref for entry in kept)}


def test_a_full_disk_at_the_first_start_is_said(small_disk: SmallDisk) -> None:
    small_disk.fill()
    with pytest.raises(StateError, match=r"full|can't be written"):
        Ledger.open(small_disk.path)
    small_disk.empty()
    Ledger.open(small_disk.path).close()


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written(small_disk: SmallDisk) -> None:
    with Ledger.open(small_disk.path) as ledger:
        ledger.change(own=[Owned(WEB, "u")])
    small_disk.make_read_only()
    with pytest.raises(StateError, match="Read-only file system"):
        Ledger.open(small_disk.path)
    reader = Ledger.open(small_disk.path, readonly=True)
    assert set(reader.ownership.all()) == {WEB}
    with pytest.raises(StateError, match="Read-only file system"):
        reader.decisions.suspend(WEB)


def test_a_reader_before_the_first_start_finds_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, readonly=True) as reader:
        assert reader.ownership.all() == {}
        assert reader.status.all() == []
        assert reader.history.events() == []
        assert reader.decisions.suspended() == frozenset()
        assert reader.heartbeat.told() == {}
        assert reader.sources.repository_id("/srv/repo") == reader.sources.repository_id("/srv/repo")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_what_the_agent_beside_it_writes_and_cannot_write_itself(ledger: Ledger, tmp_path: Path) -> None:
    reader = Ledger.open(tmp_path, readonly=True)
    ledger.change(own=[Owned(WEB, "u1")])
    assert set(reader.ownership.all()) == {WEB}
    ledger.change(disown=[WEB])
    assert reader.ownership.all() == {}
    with pytest.raises(StateError, match="open for reading"):
        reader.change(own=[Owned(WEB, "u1")])


def test_another_process_suspends_and_resumes_beside_the_agent(ledger: Ledger, tmp_path: Path) -> None:
    def elsewhere(call: str) -> None:
        code = f"""
from reconciler.ledger.ledger import Ledger
from specs.reference import Ref
Ledger.open(Path(sys.argv[1]), readonly=True).decisions.{call}
"""
        assert run(code, tmp_path).wait() == 0

    elsewhere('suspend(Ref("VirtualMachine", "tf-web"))')
    assert ledger.decisions.suspended() == {WEB}
    assert LAN not in ledger.decisions.suspended()
    elsewhere("suspend(None)")
    assert ledger.decisions.suspended() is ALL
    assert LAN in ledger.decisions.suspended()
    elsewhere("resume(None)")
    assert ledger.decisions.suspended() == {WEB}
    elsewhere('resume(Ref("VirtualMachine", "tf-web"))')
    assert not ledger.decisions.suspended()


def test_a_source_keeps_its_repository_id(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        made = ledger.sources.repository_id("/srv/repo")
        assert ledger.sources.repository_id("/srv/other") != made
    assert Ledger.open(tmp_path).sources.repository_id("/srv/repo") == made
    assert Ledger.open(tmp_path, readonly=True).sources.repository_id("/srv/repo") == made


def test_the_agent_tells_who_it_is_since_when_and_how_it_goes(tmp_path: Path) -> None:
    minutes = iter(range(60))
    ledger = Ledger.open(tmp_path, clock=lambda: datetime(2026, 1, 31, 12, next(minutes), tzinfo=UTC))
    ledger.heartbeat.tell(connect="test:///default", connected=True)
    ledger.heartbeat.tell(connected=False)
    assert Ledger.open(tmp_path, readonly=True).heartbeat.told() == {
        "pid": str(os.getpid()),
        "started": "2026-01-31T12:00:00.000Z",
        "last_pass": "2026-01-31T12:01:00.000Z",
        "connect": "test:///default",
        "connected": "false",
    }


def test_the_files_are_for_their_owner_only(ledger: Ledger, tmp_path: Path) -> None:
    ledger.change(own=[Owned(WEB, "u")])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
