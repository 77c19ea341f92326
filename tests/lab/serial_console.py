"""Talking to a guest over its serial line: the terminal that QEMU has made for it on this machine.

It is opened directly. libvirt hands the same line out as a stream, but there one thread would read from a connection
while another writes to it, and in libvirt's client before 10.4 two that wait on one connection can lose each other's
news: the line then stays silent for good.

Works for every VM with a serial console of this machine, however it was defined;
`command` expects the tiny guest's command loop on the other side.
"""

from __future__ import annotations

import os
import re
import select
import threading
import tty
from types import TracebackType
from typing import Self

import libvirt
from lxml import etree

from tests.lab.waiting import until

HANGS_S = 300.0  # an emulated guest on a busy machine boots for minutes


class SerialConsole:
    """The serial line of one running VM. Use it as a context manager; `text` is everything that came so far."""

    def __init__(self, uri: str, vm: str) -> None:
        """Attach to the VM named `vm`, which must be active or starting."""
        self._connection = libvirt.open(uri)
        self._vm = vm
        self._closing, self._close = os.pipe()
        self._received = bytearray()
        self._arrived = threading.Condition()
        self._commands = 0
        # A VM that is starting has no line yet, or still the one of its last run.
        until(self._attach, 60, f"{vm} has a serial line")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """Everything that the guest has written since the console was opened."""
        with self._arrived:
            return self._received.decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, text: str, timeout_s: float = HANGS_S) -> str:
        """Wait until the guest has written a line with `text` in it to its end, and return that line."""

        def line() -> str | None:
            complete, _, _ = self.text.rpartition("\n")
            return next((line for line in complete.splitlines() if text in line), None)

        with self._arrived:
            in_time = self._arrived.wait_for(lambda: line() is not None or self._ended, timeout_s)
            found = line()
        reason = "the line ended" if in_time else f"not within {timeout_s:g} s"
        assert found is not None, f"{self._vm} didn't write {text!r} ({reason}); it wrote: {self._tail()}"
        return found

    def wait_until_ready(self, timeout_s: float = HANGS_S) -> None:
        """Wait until the tiny guest executes commands. Right for a console that was opened at any time."""
        answered = re.compile("^onggi-there$", re.MULTILINE)

        def answers() -> bool:
            if self._ended:  # it was the line of the VM's last run
                self._attach()
            # The quotes keep a terminal's echo of the question from looking like the answer.
            self._send("echo onggi-''there")
            with self._arrived:
                return self._arrived.wait_for(lambda: bool(answered.search(self.text)), 0.5)

        until(answers, timeout_s, f"{self._vm} answers on its serial line")

    def command(self, line: str, timeout_s: float = HANGS_S) -> str:
        """Have the tiny guest's shell run `line`; what it printed, without surrounding white space.

        Fails when the command's exit status isn't 0.
        """
        self._commands += 1
        number = self._commands
        answer = re.compile(rf"^onggi-begin-{number}\n(.*)^onggi-end-{number}-(\d+)$", re.MULTILINE | re.DOTALL)
        self._send(f"echo onggi-''begin-{number}; ( {line} ) 2>&1; echo onggi-''end-{number}-$?")
        with self._arrived:
            self._arrived.wait_for(lambda: bool(answer.search(self.text)) or self._ended, timeout_s)
            found = answer.search(self.text)
        assert found, f"{self._vm} didn't finish `{line}` within {timeout_s:g} s; it wrote: {self._tail()}"
        assert found[2] == "0", f"`{line}` failed in {self._vm} with status {found[2]}: {found[1]}"
        return found[1].strip()

    def close(self) -> None:
        """Let go of the line."""
        os.write(self._close, b"x")
        self._reader.join(60)
        for each in (self._line, self._closing, self._close):
            os.close(each)
        self._connection.close()

    def _attach(self) -> bool:
        xml = self._connection.lookupByName(self._vm).XMLDesc()
        path = etree.fromstring(xml.encode()).find("devices/console").get("tty")
        line = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(line)
        if hasattr(self, "_line"):  # that of the VM's last run
            self._reader.join(60)
            os.close(self._line)
        self._line = line
        self._ended = False
        self._reader = threading.Thread(target=self._read, name=f"serial-{self._vm}", daemon=True)
        self._reader.start()
        return True

    def _send(self, line: str) -> None:
        rest = f"{line}\n".encode()
        while rest:
            _, writable, _ = select.select([], [self._line], [], 60)
            assert writable, f"{self._vm} takes nothing from its serial line any more"
            rest = rest[os.write(self._line, rest) :]

    def _read(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([self._line, self._closing], [], [])
                if self._closing in ready or not (chunk := os.read(self._line, 4096)):
                    return
                with self._arrived:
                    self._received += chunk
                    self._arrived.notify_all()
        except OSError:
            pass  # the VM is gone, and its terminal with it
        finally:
            with self._arrived:
                self._ended = True
                self._arrived.notify_all()

    def _tail(self) -> str:
        return repr(self.text[-2000:])
