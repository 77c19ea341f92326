"""Ports for servers that can't choose one themselves."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path


def free_port() -> int:
    """A port of the loopback that nobody has, and that nobody gets by chance before it is taken.

    Not one that the kernel would choose: that it may give to any connection which is made meanwhile, by whatever runs
    beside the test.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = max(1024, lowest - 12_000) + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
