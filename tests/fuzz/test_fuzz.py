"""What nobody would write, in a small dose and the same each time; `make fuzz` gives as much as is wanted."""

from __future__ import annotations

from pathlib import Path

from reconciler.serving.secrets import Secrets
from tests.fuzz import options
from tests.fuzz.definitions import Came, Definitions
from tests.fuzz.images import Found, images
from tests.fuzz.line import run

ROUNDS = 24
IMAGES = 300
DEFINITIONS = 2000


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
