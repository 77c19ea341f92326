"""`python -m tests.fuzz.roles`: a hundred thousand requests by everybody, and each mistake once, with its seed."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence

from tests.fuzz.roles.run import Came, in_its_own_process
from tests.fuzz.roles.world import PEOPLE

_KIND = re.compile(r"\(\(.*?\)\) b['\"].*?['\"] |seed \d+, requests? \d+( to \d+)?|0x\w+|\d+")
_IN_ONE_WORLD = 5_000  # what they may do wears it out


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser("python -m tests.fuzz.roles", description=str(__doc__).partition(": ")[2])
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where to begin (default: the time)")
    parser.add_argument("--requests", type=int, default=100_000, help="by each (%(default)s)")
    parser.add_argument("--who", nargs="*", choices=PEOPLE, default=list(PEOPLE), help="default: all")
    parser.add_argument("--world", type=int, default=_IN_ONE_WORLD, help="requests in one world (%(default)s)")
    asked = parser.parse_args(arguments)
    print(f"seed {asked.seed}", flush=True)
    told: set[str] = set()
    for who in asked.who:
        came, begun, seed = Came(), time.monotonic(), asked.seed
        while came.asked < asked.requests:
            one = in_its_own_process(who, seed, min(asked.world, asked.requests - came.asked))
            seed += 1
            came.add(one)
            for mistake in one.mistakes:
                kind = _KIND.sub("", mistake)[:400]
                if kind not in told:
                    told.add(kind)
                    print(mistake[:4000], flush=True)
            print(f"  {who}: {came.asked} so far, {len(told)} mistakes", file=sys.stderr, flush=True)
        print(f"{who}, seeds {asked.seed} to {seed - 1}: {came.told(time.monotonic() - begun)}", flush=True)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
