"""A program of the system, such as git, as somebody else: their identity and a clean environment, then the program."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence

from reconciler.confined.child import forbid_gains, take_identity
from reconciler.confined.identity import Identity
from reconciler.confined.process import interpreter


def program_as(identity: Identity, words: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
    """The command that runs `words` as this user, with nothing of our environment but what is given."""
    order = {
        "uid": identity.uid, "gid": identity.gid, "groups": identity.groups,
        "environment": {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
            "HOME": identity.home, **(environment or {}),
        },
    }  # fmt: skip
    return [*interpreter("program"), json.dumps(order), *words]


def main() -> None:
    """Become the user, and the program. A working folder of ours isn't theirs."""
    order, words = json.loads(sys.argv[1]), sys.argv[2:]
    os.chdir("/")
    os.umask(0o022)
    take_identity(order["uid"], order["gid"], order["groups"])
    forbid_gains()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execvpe(words[0], words, order["environment"])  # noqa: S606 - we are the program from here on
