"""What runs in a confined child: takes the identity and the limits, says that it is ready, then answers one by one.

Everything that it will need is imported while it is still us, for the other user may not be able to read our programs;
nothing that the other user may write is looked at before the identity is theirs.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Final

from reconciler.confined.frames import BrokenTalkError, Frame, Most, receive, send
from specs.plain import NewJson

_NO_NEW_PRIVILEGES: Final = 38  # prctl(2)
_SET_DUMPABLE: Final = 4

Answer = Callable[[Frame], Frame]


def take_identity(uid: int, gid: int, groups: list[int]) -> None:
    """Become this user for good. Raises OSError when we may not, and when anything of ours would be left."""
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PermissionError(1, "the identity wasn't taken")


def forbid_gains() -> None:
    """No program that is run from now on gives anything that we haven't: no setuid, no file capabilities."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs can't be set")


def take_limits(memory: int, files: int, file_size: int) -> None:
    """Bound what this process may use."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_FSIZE, file_size),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _allow_cpu(seconds: float) -> None:
    """This much of the processor from now on; the kernel ends the process beyond it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def serve(answers: Callable[[NewJson], Answer], order: NewJson) -> None:
    """Answer on standard input and output until the other side is gone."""
    most = Most(order["most_parts"], order["most_size"])
    patience = float(order["patience_s"])
    if (wanted := order["identity"]) is not None:
        try:
            take_identity(wanted["uid"], wanted["gid"], wanted["groups"])
        except OSError as error:
            lacking = f"onggi may not become another user: {error.strerror}; give it CAP_SETUID and CAP_SETGID"
            send(1, Frame({"ready": False, "lacking": lacking}))
            return
    forbid_gains()
    # Nobody else of this user's may look into what is ours in here.
    ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    take_limits(order["memory"], order["files"], order["file_size"])
    answer = answers(order["task"])
    send(1, Frame({"ready": True}))
    while True:
        try:
            question = receive(0, most)
        except BrokenTalkError:
            return
        # The kernel's clock, whose signal ends us whatever hangs: nobody has to be left who would.
        signal.setitimer(signal.ITIMER_REAL, patience + 5)
        _allow_cpu(patience)
        try:
            reply = answer(question)
        except MemoryError:
            reply = Frame({"error": "MemoryError"})
        send(1, reply)
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """The order is the only argument: which module answers, as whom, within what."""
    order = json.loads(sys.argv[1])
    for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    answers = importlib.import_module(order["module"]).answers
    serve(answers, order)
