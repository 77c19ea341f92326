"""What answers in the child of a test: whatever an attacker who has taken it over could do."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.confined.frames import Frame


def answers(task: dict[str, Any]) -> Callable[[Frame], Frame]:
    """Do what the question says."""
    return lambda question: _VERBS[question.header["verb"]](task, question)


def _identity(_task: dict[str, Any], _question: Frame) -> Frame:
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    names = ("Uid", "Gid", "Groups", "NoNewPrivs", "CapEff", "CapPrm")
    return Frame({"status": {name: status[name].split() for name in names}, "environment": sorted(os.environ)})


def _echo(_task: dict[str, Any], question: Frame) -> Frame:
    return Frame({"pid": os.getpid()}, question.parts)


def _hang(_task: dict[str, Any], _question: Frame) -> Frame:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
    return Frame({})


def _spin(_task: dict[str, Any], _question: Frame) -> Frame:
    while True:
        pass


def _die(_task: dict[str, Any], _question: Frame) -> Frame:
    os._exit(3)


def _fill(_task: dict[str, Any], _question: Frame) -> Frame:
    return Frame({}, [bytes(2 << 30)])


def _write(task: dict[str, Any], _question: Frame) -> Frame:
    with Path(task["file"]).open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def _leave_behind(task: dict[str, Any], _question: Frame) -> Frame:
    if (pid := os.fork()) == 0:
        time.sleep(600)
        os._exit(0)
    Path(task["file"]).write_text(str(pid))
    time.sleep(600)
    return Frame({})


def _say(content: bytes) -> Callable[[dict[str, Any], Frame], Frame]:
    def say(_task: dict[str, Any], _question: Frame) -> Frame:
        os.write(1, content)
        time.sleep(600)
        return Frame({})

    return say


def _framed(header: bytes, lengths: list[int]) -> bytes:
    return struct.pack(">II", len(header), len(lengths)) + header + struct.pack(f">{len(lengths)}I", *lengths)


_VERBS = {
    "identity": _identity,
    "echo": _echo,
    "hang": _hang,
    "spin": _spin,
    "die": _die,
    "fill": _fill,
    "write": _write,
    "leave behind": _leave_behind,
    "long header": _say(struct.pack(">II", 1 << 31, 0)),
    "many parts": _say(struct.pack(">II", 2, 1 << 31)),
    "large part": _say(_framed(b"{}", [1 << 31])),
    "large parts": _say(_framed(b"{}", [1 << 19] * 3)),
    "no JSON": _say(_framed(b"\xff{", [])),
    "no object": _say(_framed(b"[]", [])),
    "nested": _say(_framed(b"[" * 60_000, [])),
    "half": _say(_framed(json.dumps({"a": 1}).encode(), [10])),
}
