"""How networks become documents."""

from __future__ import annotations

from reconciler.exporting.exporter import Exporter
from reconciler.exporting.network.network import network
from reconciler.exporting.network.unsaid import SAID, unsaid
from specs.reference import NETWORK

EXPORTER = Exporter(NETWORK, lambda observed, _around: network(observed), SAID, unsaid)
