"""Limits of a disk: one value, whose unsaid parts are unlimited; what other tools set beside it stays."""

from __future__ import annotations

from typing import Any

import pytest

from specs.binding import parse
from specs.document import parse as parse_documents
from specs.validate import validate
from specs.virtualmachine.storage.iolimits import IO_LIMITS, read_limits

TUNED = (
    "<disk><target dev='vda'/><iotune><total_bytes_sec>1000</total_bytes_sec><read_iops_sec>0</read_iops_sec>"
    "<total_bytes_sec_max>5000</total_bytes_sec_max><group_name>shared</group_name></iotune></disk>"
)


def test_limits_are_read_by_the_documents_words() -> None:
    assert read_limits(parse(TUNED)) == {"bytesPerSecond": 1000}
    assert read_limits(parse("<disk/>")) == {}


def test_a_limit_for_each_direction_replaces_the_one_for_both_and_leaves_what_is_unknown() -> None:
    disk = parse(TUNED)
    IO_LIMITS.write(disk, {"readBytesPerSecond": 10, "writeBytesPerSecond": 20})
    assert read_limits(disk) == {"readBytesPerSecond": 10, "writeBytesPerSecond": 20}
    assert (disk.findtext("iotune/group_name"), disk.findtext("iotune/total_bytes_sec_max")) == ("shared", "5000")


def test_no_limits_leave_nothing_behind() -> None:
    disk = parse("<disk><iotune><total_iops_sec>5</total_iops_sec></iotune></disk>")
    IO_LIMITS.write(disk, {})
    assert len(disk) == 0


def problems(limits: str) -> list[Any]:
    text = (
        "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: web}\n"
        f"spec: {{disks: [{{size: 1GiB, ioLimits: {limits}}}]}}\n"
    )
    (document,) = parse_documents("vm.yaml", text.encode()).documents
    return validate(document)


@pytest.mark.parametrize("limits", ["{}", "{bytesPerSecond: 50MiB, readIops: 5}", "{readBytesPerSecond: 512, iops: 1}"])
def test_good_limits_are_taken(limits: str) -> None:
    assert problems(limits) == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("{bytesPerSecond: 1MiB, readBytesPerSecond: 1MiB}", "reading and writing together"),
        ("{iops: 10, writeIops: 5}", "reading and writing together"),
        ("{bytesPerSecond: fast}", "a rate is a number"),
        ("{iops: 0}", "1"),
        ("{burst: 5}", "burst"),
    ],
)
def test_bad_limits_are_refused_in_words(limits: str, words: str) -> None:
    found = problems(limits)
    assert found and words in " ".join(str(problem).lower() for problem in found)
