"""`python -m tests.fuzz`: goes on from a seed for as long as is wanted, and tells each mistake once, with its seed."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from reconciler.serving.secrets import Secrets
from tests.fuzz import options
from tests.fuzz.definitions import Came, Definitions
from tests.fuzz.images import Found, images
from tests.fuzz.line import run

_IMAGES_EACH = 20  # to one document
_DEFINITIONS_EACH = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description="Writes what nobody would, and sees what breaks."
    )
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where to begin (default: the time)")
    parser.add_argument("--seconds", type=float, default=300.0, help="for how long (%(default)s)")
    asked = parser.parse_args(arguments)
    logging.getLogger("onggi").propagate = False  # what it would say is collected
    logging.getLogger("onggi").addHandler(logging.NullHandler())
    told: set[str] = set()
    seed, taken, refused, end = asked.seed, 0, 0, time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as other, images(Path(other)) as made:
        folder, secrets, definitions = Path(place), Secrets(Path(place, "secrets")), Definitions()
        while time.monotonic() < end:
            found, judged, came = run(seed, secrets), Found(), Came()
            for number in range(seed * _DEFINITIONS_EACH, (seed + 1) * _DEFINITIONS_EACH):
                definitions.run(number, came)
            for number in range(seed * _IMAGES_EACH, (seed + 1) * _IMAGES_EACH):
                made.run(number, judged)
            for mistake in (
                *found.mistakes,
                *options.mistakes(seed, folder, folder / "state"),
                *judged.mistakes,
                *came.mistakes,
            ):
                kind = re.sub(r"'[^']*'|\S+/\S+|\d+", "…", mistake)
                if kind not in told:
                    told.add(kind)
                    print(f"seed {seed}: {mistake}", flush=True)
            taken, refused, seed = taken + found.taken, refused + found.refused, seed + 1
    print(f"seeds {asked.seed} to {seed - 1}: {taken} objects taken, {refused} documents refused, {len(told)} mistakes")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
