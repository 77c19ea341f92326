"""`onggi run` in a network namespace, where nobody else can reach it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.host.namespaces import Namespace
from tests.lab.repositories import Repository

_ASK = (
    "import sys, urllib.request as r; print(r.urlopen(f'http://127.0.0.1:{sys.argv[1]}{sys.argv[2]}').read().decode())"
)


class Agent:
    """On libvirt's test driver."""

    def __init__(self, network: Namespace, port: int, repository: Repository, state: Path, *more: str) -> None:
        self._network, self._port = network, port
        network.start(
            sys.executable, "-m", "reconciler.cli.main", "run", repository.path, "--connect", "test:///default",
            "--state", state, "--listen", f"127.0.0.1:{port}", "--quiet",
            "--allowed-network", "127.0.0.0/8", "--allowed-network", "::1", *more,
        )  # fmt: skip

    def get(self, path: str) -> Any:
        """What it answers there, from inside the namespace."""
        return json.loads(self._network.python(_ASK, str(self._port), path))
