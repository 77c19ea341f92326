"""What nobody would write, in a small dose and the same each time; `make fuzz` gives as much as is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.serving.secrets import Secrets
from tests.api.live import LiveApi
from tests.api.own_machines import peopled
from tests.fuzz import options, people
from tests.fuzz.definitions import Came, Definitions
from tests.fuzz.images import Found, images
from tests.fuzz.line import run

ROUNDS = 24
IMAGES = 300
DEFINITIONS = 2000
REQUESTS = 200  # of each; a hundred thousand by `python -m tests.fuzz.people --requests 100000`


def test_every_document_is_refused_at_its_line_or_goes_through_the_whole_line(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    found = [run(seed, secrets) for seed in range(ROUNDS)]
    assert [mistake for one in found for mistake in one.mistakes] == []
    assert sum(one.taken for one in found) > 10 * ROUNDS, "most of what is tried gets past the door"
    assert sum(one.refused for one in found) > ROUNDS, "and enough of it doesn't"


def test_no_option_variable_or_setting_ends_in_a_traceback(tmp_path: Path) -> None:
    assert [each for seed in range(ROUNDS) for each in options.mistakes(seed, tmp_path, tmp_path / "state")] == []


def test_no_image_that_is_let_through_makes_qemu_open_another_file_or_is_another_one_to_it(tmp_path: Path) -> None:
    found = Found()
    with images(tmp_path) as made:
        for seed in range(IMAGES):
            made.run(seed, found)
    assert found.mistakes == []
    assert found.refused > IMAGES // 4, "much of it is hostile"
    assert found.opened > IMAGES // 8, "and enough of what is left is an image"


def test_every_definition_that_libvirt_could_tell_is_read_and_exported_or_is_no_xml() -> None:
    found, definitions = Came(), Definitions()
    for seed in range(DEFINITIONS):
        definitions.run(seed, found)
    assert found.mistakes == []
    assert found.read > DEFINITIONS // 2
    assert found.refused > DEFINITIONS // 50


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    with peopled(tmp_path_factory.mktemp("people")) as running:
        yield running


@pytest.mark.parametrize("who", people.PEOPLE)
def test_nobody_sees_or_changes_by_any_request_more_than_what_is_theirs(api: LiveApi, who: str) -> None:
    statuses: Counter[int] = Counter()
    assert list(people.asked(api, who, 1, REQUESTS, statuses)) == []
    assert statuses[200] > REQUESTS // 100, "some of it is let in"
    assert sum(statuses[each] for each in (401, 403, 404)) > REQUESTS // 4, "and much isn't"
