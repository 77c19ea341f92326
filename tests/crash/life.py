"""The life that is cut off everywhere: thirty documents and what becomes of them in five commits.

Created, edited, some removed, given back, and edited once more; with every kind of volume on the way. No commit
removes more than three objects, which would wait for somebody's approval.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from tests.lab.repositories import Repository, git

Spec = dict[str, Any]
Documents = dict[tuple[str, str], Spec]

REPOSITORY_ID = "7f2d4a52-1df5-4a1c-9d0b-9b0e64a0c001"
RENAMED = "6c1d5d1e-6f3c-4f0e-8a58-2f3b7b1d0d13"  # a machine by its uid, whatever it is called
TO = ("VirtualMachine", "vm18")
CHAPTERS = ("create", "edit", "remove", "return", "change")

# Disks of machines that a test writes into after `create`, by pool; nothing may ever take their bytes away.
WRITTEN = {
    "fast": ("vm00-root.qcow2", "vm02-root.qcow2", "vm05-root.qcow2", "vm05-data.img", "kept.qcow2", "base.qcow2"),
    "third": ("vm14-root.qcow2",),
}


class Life:
    """`active`: whether networks may be started there. `grows`: whether volumes can."""

    def __init__(self, folder: Path, *, active: bool, grows: bool) -> None:
        self._folder = folder
        self._active = active
        self._grows = grows

    def chapters(self) -> list[Documents]:
        """The documents after each commit."""
        told = [self._create()]
        for turn in (self._edit, self._remove, self._return, self._change):
            documents = copy.deepcopy(told[-1])
            turn(documents, told)
            told.append(documents)
        return told

    def commit(self, repository: Repository) -> None:
        """A branch for each chapter, named after it."""
        repository.commit({"onggi.yaml": f"apiVersion: onggi/v1\nrepositoryId: {REPOSITORY_ID}\n"})
        before: set[str] = set()
        for name, documents in zip(CHAPTERS, self.chapters(), strict=True):
            files = {
                f"{kind}-{each.replace('/', '-')}.yaml": _text(kind, each, spec)
                for (kind, each), spec in documents.items()
            }
            if gone := sorted(before - files.keys()):
                git(repository.path, "rm", "--quiet", "--", *gone)
            repository.commit(dict(files), name)
            git(repository.path, "branch", name)
            before = set(files)

    def _create(self) -> Documents:
        made: Documents = {}
        for name in ("fast", "slow", "third"):
            made["StoragePool", name] = {"type": "dir", "path": str(self._folder / name)}
        for index, name in enumerate(("lan", "dmz", "guests")):
            made["Network", name] = {
                "mode": "isolated",
                "subnet": f"10.211.{index}.0/24",
                "active": self._active,
                "dhcp": {"hosts": [{"mac": "52:54:00:00:00:01", "ip": f"10.211.{index}.5"}]},
            }
        made["Template", "small"] = {"memory": 64}
        made["Template", "large"] = {"template": "small", "cpus": 2, "memory": 128}
        made["StorageVolume", "base.qcow2"] = {"pool": "fast", "capacity": "24MiB", "format": "qcow2"}
        made["StorageVolume", "overlay.qcow2"] = {
            "pool": "fast", "capacity": "48MiB", "format": "qcow2", "backingVolume": "base.qcow2",
        }  # fmt: skip
        made["StorageVolume", "kept.qcow2"] = {"pool": "fast", "capacity": "16MiB", "format": "qcow2"}
        made["StorageVolume", "scratch.img"] = {
            "pool": "slow", "capacity": "1MiB", "format": "raw", "deletionPolicy": "Delete",
        }  # fmt: skip
        made["StorageVolume", "spare.qcow2"] = {
            "pool": "slow", "capacity": "16MiB", "format": "qcow2", "deletionPolicy": "Delete",
        }  # fmt: skip
        for index in range(17):
            made["VirtualMachine", f"vm{index:02}"] = {
                "template": "large" if index % 3 == 0 else "small",
                "domainType": "emulated",
                "runStrategy": "Halted",
                "disks": [{"name": "root", "size": "16MiB", "pool": "fast" if index % 2 == 0 else "slow"}],
                "interfaces": [{"name": "nic0", "network": ("lan", "dmz", "guests")[index % 3]}],
            }
        vm = {int(name[2:]): spec for (kind, name), spec in made.items() if kind == "VirtualMachine"}
        vm[1]["deletionPolicy"] = "Delete"
        vm[1]["cloudInit"] = _seed("one", "fast")
        vm[2]["cloudInit"] = _seed("two", "fast")
        vm[4]["cloudInit"] = _seed("four", "slow")
        vm[5]["disks"] = [
            {"name": "root", "size": "16MiB", "pool": "fast"},
            {"name": "data", "size": "2MiB", "pool": "fast", "format": "raw"},
        ]
        vm[6]["disks"].append({"name": "top", "size": "32MiB", "pool": "fast", "base": "base.qcow2"})
        vm[7]["disks"].append({"name": "shared", "volume": "fast/overlay.qcow2"})
        vm[8]["disks"].append({"name": "spare", "volume": "slow/spare.qcow2"})
        vm[9]["autostart"] = True
        # No graphics: two daemons on one machine would give the same port to their guests.
        headless = {"interfaces": [], "graphics": {"type": "none"}}
        vm[10] |= {"runStrategy": "Always", "paused": True, "forceStop": True, **headless}
        vm[14]["disks"] = [{"name": "root", "size": "16MiB", "pool": "third"}]
        return made

    def _edit(self, now: Documents, told: list[Documents]) -> None:
        now["Template", "small"]["memory"] = 80
        now["Network", "lan"]["dhcp"]["hosts"].append({"mac": "52:54:00:00:00:02", "ip": "10.211.0.6"})
        if not self._active:
            now["Network", "dmz"]["domain"] = "dmz.example"
        if self._grows:
            now["VirtualMachine", "vm00"]["disks"][0]["size"] = "24MiB"
            now["StorageVolume", "kept.qcow2"]["capacity"] = "32MiB"
        now["VirtualMachine", "vm02"]["cloudInit"] = _seed("two, again", "fast")
        now["VirtualMachine", "vm03"]["cloudInit"] = _seed("three", "slow")
        now["VirtualMachine", "vm03"]["disks"].append({"name": "more", "size": "8MiB", "pool": "slow"})
        del now["VirtualMachine", "vm04"]["cloudInit"]
        now["VirtualMachine", "vm05"]["disks"].pop()
        now["VirtualMachine", "vm05"]["interfaces"].append({"name": "nic1", "network": "dmz"})
        now["VirtualMachine", "vm08"]["interfaces"] = []
        now["VirtualMachine", "vm09"] |= {"autostart": False, "title": "nine"}
        now["VirtualMachine", "vm10"]["title"] = "ten"
        now["VirtualMachine", "vm11"]["description"] = "eleven"

    def _remove(self, now: Documents, told: list[Documents]) -> None:
        del now["VirtualMachine", "vm01"]  # with its disk and seed
        del now["StorageVolume", "scratch.img"]

    def _return(self, now: Documents, told: list[Documents]) -> None:
        now["VirtualMachine", "vm01"] = copy.deepcopy(told[1]["VirtualMachine", "vm01"])
        now["StorageVolume", "scratch.img"] = copy.deepcopy(told[1]["StorageVolume", "scratch.img"])
        del now["VirtualMachine", "vm14"]  # and the pool that keeps its disk
        del now["StoragePool", "third"]
        now["VirtualMachine", "vm05"]["disks"] = copy.deepcopy(told[0]["VirtualMachine", "vm05"]["disks"])

    def _change(self, now: Documents, told: list[Documents]) -> None:
        # The pool comes back over a folder with a disk in it that nobody may lose.
        now["StoragePool", "third"] = copy.deepcopy(told[0]["StoragePool", "third"])
        now["VirtualMachine", "vm14"] = copy.deepcopy(told[0]["VirtualMachine", "vm14"])
        now["VirtualMachine", "vm14"]["disks"].append({"name": "new", "size": "8MiB", "pool": "third"})
        now["VirtualMachine", "vm17"] = copy.deepcopy(now["VirtualMachine", "vm16"])
        del now["VirtualMachine", "vm16"]  # a new name, and so another machine; its disk stays
        if self._grows:  # real disks can also be renamed: the same machine, and the same disk
            now[TO] = now.pop(("VirtualMachine", "vm13"))
        now["VirtualMachine", "vm10"] |= {"runStrategy": "Halted"}
        del now["VirtualMachine", "vm10"]["paused"]
        now["VirtualMachine", "vm02"]["cloudInit"] = _seed("two", "fast")


def _seed(name: str, pool: str) -> Spec:
    return {"pool": pool, "userData": f"#cloud-config\nhostname: {name}\n"}


def _text(kind: str, name: str, spec: Spec) -> str:
    metadata = {"name": name, "uid": RENAMED} if (kind, name) in (("VirtualMachine", "vm13"), TO) else {"name": name}
    document = {"apiVersion": "onggi/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return yaml.safe_dump(document, sort_keys=False)
