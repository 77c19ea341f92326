"""Who uses a volume: by disk or CD-ROM, running or only defined, and through every backing image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.hypervisor import Hypervisor
from reconciler.observed.snapshot import Observed, Snapshot
from reconciler.planning.storagevolume.uses import users_of
from specs.host import Host
from specs.reference import VIRTUAL_MACHINE, Ref

A, B = Ref(VIRTUAL_MACHINE, "a"), Ref(VIRTUAL_MACHINE, "b")


def volume(name: str, backing: str = "") -> Observed:
    details = {"path": f"/pool/{name}", "backing": f"/pool/{backing}" if backing else ""}
    return Observed(Ref.volume("pool", name), "", "<volume/>", details=details)


def domain(ref: Ref, *sources: str, live: str = "", device: str = "disk") -> Observed:
    def xml(*disks: str) -> str:
        items = "".join(
            f"<disk type='{'volume' if 'pool=' in each else 'file'}' device='{device}'><source {each}/>"
            f"<target dev='sd{chr(97 + number)}' bus='sata'/></disk>"
            for number, each in enumerate(disks)
        )
        return f"<domain type='kvm'><name>{ref.name}</name><devices>{items}</devices></domain>"

    return Observed(ref, f"uid-{ref.name}", xml(*sources), live_xml=xml(live) if live else None)


def used(*objects: Observed) -> Mapping[Ref, tuple[Ref, ...]]:
    return users_of(Snapshot(1, Host(), {each.ref: each for each in objects}))


def test_a_disk_by_path_or_by_pool_is_used() -> None:
    found = used(
        volume("one"), volume("two"), volume("free"),
        domain(B, "file='/pool/one'"), domain(A, "file='/pool/one'", "pool='pool' volume='two'"),
    )  # fmt: skip
    assert found == {Ref.volume("pool", "one"): (A, B), Ref.volume("pool", "two"): (A,)}


def test_a_path_in_another_spelling_is_used_all_the_same() -> None:
    found = used(volume("one"), volume("two"), domain(A, "file='/pool//one'"), domain(B, "file='/pool/./two'"))
    assert found == {Ref.volume("pool", "one"): (A,), Ref.volume("pool", "two"): (B,)}


def test_a_medium_and_what_only_the_running_machine_has_are_used() -> None:
    found = used(
        volume("cd"), volume("hot"),
        domain(A, "file='/pool/cd'", device="cdrom"), domain(B, live="file='/pool/hot'"),
    )  # fmt: skip
    assert found == {Ref.volume("pool", "cd"): (A,), Ref.volume("pool", "hot"): (B,)}


def test_every_image_below_a_disk_is_used_and_a_circle_ends() -> None:
    found = used(
        volume("top", "middle"), volume("middle", "base"), volume("base", "top"), domain(A, "file='/pool/top'")
    )
    assert found == {Ref.volume("pool", name): (A,) for name in ("top", "middle", "base")}


def test_what_is_no_volume_is_nobodys() -> None:
    assert used(volume("one"), domain(A, "file='/elsewhere'", "dev='/dev/sdx'")) == {}


def test_the_same_snapshot_is_looked_at_once(private_test_uri: str, tmp_path: Path) -> None:
    host = Hypervisor.open(private_test_uri)
    snapshot = host.observe(None, None)
    assert users_of(snapshot) is users_of(snapshot)
    assert users_of(snapshot) == {}
    host.close()
