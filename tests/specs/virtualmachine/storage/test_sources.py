"""A disk's source says the same in a document and in libvirt's XML, and each is known by its one name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.binding import parse
from specs.host import Host
from specs.virtualmachine.storage.disks import DISKS
from specs.virtualmachine.storage.named_sources import disk_name, host_of, other_source, split_host
from specs.virtualmachine.storage.sources import disk_source, read_source, write_source
from specs.virtualmachine.xml import lower
from tests.specs.rendering import UID

NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,12}[a-z0-9]", fullmatch=True) | st.sampled_from(["10.0.0.1", "fd00::1"])
HOSTS = st.builds(
    lambda name, port, rdma: (
        ("rdma:" if rdma else "") + (f"[{name}]" if ":" in name else name) + (f":{port}" if port else "")
    ),
    NAMES,
    st.none() | st.integers(1, 65535),
    st.booleans(),
)
PATHS = st.from_regex(r"/[a-z]{1,8}(?:/[a-z0-9.]{1,8}[a-z0-9])?", fullmatch=True)
NETWORK = st.fixed_dictionaries(
    {
        "protocol": st.sampled_from(["nbd", "rbd", "iscsi", "gluster", "sheepdog", "nfs"]),
        "name": st.from_regex(r"[a-z]{1,5}/[a-z ]{0,5}[a-z]", fullmatch=True),
    },
    optional={"hosts": st.lists(HOSTS, max_size=3)},
)
DISKS_OF_ALL_KINDS = st.one_of(
    st.builds(lambda path: {"file": path}, PATHS),
    st.builds(lambda path: {"block": f"/dev{path}"}, PATHS),
    st.builds(lambda path: {"vhostUser": path}, PATHS),
    st.builds(lambda path: {"network": {"protocol": "nbd", "socket": path}}, PATHS),
    st.builds(lambda network: {"network": network}, NETWORK),
    st.builds(lambda number: {"nvme": {"device": "pci_0000_01_0a_3", "namespace": number}}, st.integers(1, 4294967295)),
    st.builds(lambda path: {"url": f"https://example.org{path}?a=b"}, PATHS),
)


@given(DISKS_OF_ALL_KINDS)
def test_what_is_written_is_what_is_read(disk: dict[str, Any]) -> None:
    drive = parse("<disk device='disk'/>")
    source = other_source(disk)
    write_source(drive, source)
    assert read_source(drive) == source


@given(DISKS_OF_ALL_KINDS)
def test_a_document_and_a_definition_know_a_disk_by_one_name(disk: dict[str, Any]) -> None:
    (found,) = lower({"disks": [disk]}, name="web", uid=UID, host=Host())["disks"]  # type: ignore[typeddict-item]
    assert DISKS.label(found) == disk_name(disk)


@given(HOSTS)
def test_a_server_is_taken_apart_as_it_was_put_together(said: str) -> None:
    name, port, rdma = split_host(said)
    assert split_host(host_of("rbd", name, port, rdma=rdma)) == (name, port, rdma)


def test_an_old_definition_logs_in_beside_its_source() -> None:
    secret = "<auth username='a'><secret type='ceph' usage='b'/></auth>"
    source = "<source protocol='rbd' name='p/i'>{}</source>"
    fields = {field.name: field for field in DISKS.fields}
    for inside, beside in ((secret, ""), ("", secret)):
        disk = parse(f"<disk type='network'>{source.format(inside)}{beside}<target dev='vda'/></disk>")
        assert fields["auth/username"].read(disk) == "a"
        fields["auth/secret/usage"].write(disk, "c")
        assert len(list(disk.iter("auth"))) == 1, "libvirt takes one of the two places alone"
        assert fields["auth/secret/usage"].read(disk) == "c"


@pytest.mark.parametrize("policy", ["optional", "requisite"])
def test_what_a_start_does_without_a_medium_stays_with_the_next_medium(policy: str) -> None:
    drive = parse(f"<disk device='cdrom' type='file'><source file='/a' startupPolicy='{policy}'/></disk>")
    write_source(drive, {"file": "/b"})
    assert drive.find("source").get("startupPolicy") == policy  # type: ignore[union-attr]


def test_a_files_snapshot_above_it_is_the_same_disk() -> None:
    host = Host(overlays={"/srv/a": ("/srv/a.snapshot",)})
    found = disk_source({"file": "/srv/a"}, host)
    assert found == {"file": "/srv/a", "above": ("/srv/a.snapshot",)}
