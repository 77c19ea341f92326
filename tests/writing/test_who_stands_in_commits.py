"""What git reads from a commit is what was put in, whatever that is: nobody signs as another, no trailer is forged."""

from __future__ import annotations

import subprocess
import unicodedata
from pathlib import Path

import pygit2
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reconciler.identity.names import name_problem
from reconciler.serving.changes import author_of, trailers_of
from reconciler.serving.client import Client
from reconciler.source.commit_text import Author, commit_message
from reconciler.writing.commits import Commits
from reconciler.writing.place import Note

PIECES = st.sampled_from(
    [
        "\n", "\r", "\n\n", "\0", "\x85", "\u2028", "\x0b", " ", "\t", ": ", "#", "---\n", "\nSigned-off-by: root\n",
        "Onggi-Source: cli", "Onggi-Peer", "<", ">", "<root@example.org>", "\u202e", "\u200b", "\ud800", ".", "'", '"',
        "\\", "kim", "root", "김", "\u0301", "(cherry picked from commit 1)", "%an", "token ", "\x1b[2J",
    ]
)  # fmt: skip
TEXT = st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join)
CLIENT = st.builds(Client, TEXT, request_id=TEXT, peer=TEXT, maker=TEXT)
FORMAT = "--format=%an%x01%ae%x01%(trailers:unfold)%x02"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("repository")
    repository = pygit2.init_repository(made, bare=True)
    signature = pygit2.Signature("onggi", "onggi@localhost")
    repository.create_commit("refs/heads/main", signature, signature, "Begin", repository.TreeBuilder().write(), [])
    return made


def read_by_git(folder: Path, notes: list[Note]) -> list[tuple[str, str, list[str]]]:
    """Author, address and trailers of a commit for each."""
    commits = Commits(folder, "here", None)
    made = [commits.at("refs/heads/main")]
    for note in notes:  # one upon the other, so that no two are the same
        made.append(commits.make(made[-1], {}, note))
    commits.close()
    words = ["git", "-C", str(folder), "log", "--no-walk=unsorted", FORMAT, "--stdin"]
    told = subprocess.run(words, input="\n".join(made[1:]).encode(), capture_output=True, check=True).stdout
    records = [record.strip("\n").split("\x01") for record in told.decode().split("\x02")[:-1]]
    assert len(records) == len(notes)
    return [(name, email, trailers.splitlines()) for name, email, trailers in records]


def note_of(message: str, client: Client) -> Note:
    return Note(commit_message(message, trailers_of(client)), author_of(client))


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(st.lists(st.tuples(TEXT, CLIENT), min_size=1, max_size=30, unique_by=lambda each: (each[0], each[1].user)))
def test_git_reads_what_was_put_in(folder: Path, asked: list[tuple[str, Client]]) -> None:
    notes = [note_of(*each) for each in asked]
    for (_, client), note, (name, email, trailers) in zip(asked, notes, read_by_git(folder, notes), strict=True):
        assert (name, email) == (note.author.name, note.author.email)
        assert email.count("@") == 1 and email.isascii()
        if not name_problem(client.user):
            assert name == client.user
        names = [line.partition(": ")[0] for line in trailers]
        assert names[0] == "Onggi-Source" and trailers[0] == "Onggi-Source: api"
        assert sorted(set(names)) == sorted(names) and set(names) <= {"Onggi-Source", *trailers_of(client)}
        assert not {unicodedata.category(each) for line in trailers for each in line} & {"Cc", "Cf", "Zl", "Zp"}


def test_what_is_good_is_said_word_for_word(folder: Path) -> None:
    client = Client("Kim Lee", request_id="r-1", peer="2001:db8::7", maker="root")
    ((name, _, trailers),) = read_by_git(folder, [note_of("Change web\n\nSigned-off-by: root", client)])
    assert name == "Kim Lee"
    assert trailers == [
        "Onggi-Source: api", "Onggi-Request-Id: r-1", "Onggi-Peer: 2001:db8::7", "Onggi-Token-Maker: root",
    ]  # fmt: skip


def test_a_message_of_several_paragraphs_makes_no_trailer_where_none_is_given(folder: Path) -> None:
    note = Note(
        commit_message("Change\n\nSigned-off-by: root\n---\nSigned-off-by: root", {}), Author("kim", "kim@here")
    )
    assert read_by_git(folder, [note])[0][2] == ["Onggi-Source: onggi"]


def test_no_users_name_is_anothers_mail_address(folder: Path) -> None:
    people = ["root@example.org", "kim lee", "kimlee", r"EXAMPLE\kim", "EXAMPLEkim", "김"]
    addresses = [email for _, email, _ in read_by_git(folder, [note_of("Change", Client(name)) for name in people])]
    assert len(set(addresses)) == len(people)
    assert all(not address.endswith("@example.org") and address.count("@") == 1 for address in addresses)
