"""The shape of a Template's spec: what the Kimchi API's template has, in this project's spelling."""

from __future__ import annotations

from typing import TypedDict

from specs.virtualmachine.model import CpuTopology, Graphics


class TemplateDisk(TypedDict, total=False):
    """A disk of each VM made from the template: `size` in GiB, or `volume` whose contents it starts from."""

    index: int
    size: int
    base: str
    volume: str
    format: str
    pool: str


class TemplateSpec(TypedDict, total=False):
    """`template` names another template that this one extends; fields written here win, lists replace lists."""

    template: str
    osDistro: str
    osVersion: str
    cpus: int
    memory: int | str
    cdrom: str  # absolute path, http(s)/ftp URL, or a volume
    storagePool: str
    networks: list[str]
    disks: list[TemplateDisk]
    graphics: Graphics
    cpuTopology: CpuTopology
    folder: list[str]
    icon: str
