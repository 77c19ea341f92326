"""How virtual machines become documents."""

from __future__ import annotations

from reconciler.exporting.exporter import Exporter
from reconciler.exporting.virtualmachine.filled_in import fill_in
from reconciler.exporting.virtualmachine.machine import machine
from reconciler.exporting.virtualmachine.unsaid import SAID, unsaid
from specs.reference import VIRTUAL_MACHINE

EXPORTER = Exporter(VIRTUAL_MACHINE, machine, SAID, unsaid, fill_in)
