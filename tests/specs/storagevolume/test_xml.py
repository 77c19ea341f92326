"""Volumes as XML: what a new one looks like, what is left alone, and what a change costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.effect import Effect
from specs.host import Host, VolumeSource
from specs.problem import Unrenderable
from specs.reference import Ref
from specs.storagevolume import KIND
from tests.specs.rendering import assert_at_rest, drift, golden, lowered, new_xml

GIB = 1 << 30
HOST = Host(
    pool_paths={"default": "/srv/images"},
    volumes={
        Ref.volume("default", "base.qcow2"): VolumeSource("/srv/images/base.qcow2", "file", "qcow2"),
        Ref.volume("vg", "base"): VolumeSource("/dev/vg/base", "block", "raw"),
    },
)


def concrete(**spec: Any) -> dict[str, Any]:
    return lowered(KIND, {"pool": "default", "capacity": "1GiB"} | spec, name="disk", host=HOST)


def observed(capacity: int, image_format: str | None, type_: str = "file", unit: str = "bytes") -> str:
    form = f"<format type='{image_format}'/>" if image_format else ""
    return f"""
    <volume type='{type_}'>
      <name>disk</name>
      <key>/srv/images/disk</key>
      <capacity unit='{unit}'>{capacity}</capacity>
      <allocation unit='bytes'>200704</allocation>
      <physical unit='bytes'>196616</physical>
      <target>
        <path>/srv/images/disk</path>
        {form}
        <permissions><mode>0600</mode><owner>64055</owner><group>107</group></permissions>
        <clusterSize unit='B'>65536</clusterSize>
      </target>
    </volume>
    """


@pytest.mark.parametrize(
    ("name", "spec", "xml"), [pytest.param(*pair, id=pair[0]) for pair in golden(Path(__file__).parent / "golden")]
)
def test_a_new_volume_looks_like_this(name: str, spec: dict[str, Any], xml: str) -> None:
    assert new_xml(KIND, lowered(KIND, spec, name=name, host=HOST), name=name, host=HOST) == xml


def test_what_the_storage_adds_is_no_drift() -> None:
    assert_at_rest(KIND, concrete(format="qcow2"), observed(GIB, "qcow2"))
    assert_at_rest(KIND, concrete(), observed(1, "qcow2", unit="GiB"))


@pytest.mark.parametrize("found", ["raw", "iso", "none", None])
def test_plain_bytes_go_by_several_names(found: str | None) -> None:
    for declared in ("raw", "iso"):
        assert_at_rest(KIND, concrete(format=declared), observed(GIB, found))


def test_rounding_up_is_no_drift() -> None:
    assert_at_rest(KIND, concrete(capacity=f"{GIB + 1}B", format="qcow2"), observed(GIB + 1024, "qcow2"))
    assert_at_rest(KIND, concrete(format="vpc"), observed(GIB + 28672, "vpc"))
    assert_at_rest(KIND, concrete(pool="vg", capacity=f"{GIB + 1}B"), observed(GIB + (32 << 20), None, "block"))


def test_growing_is_live_and_shrinking_refused() -> None:
    (grows,) = drift(KIND, concrete(capacity="2GiB"), observed(GIB, "qcow2"))
    assert (grows.pointer, grows.old, grows.new, grows.effect) == ("/capacity", GIB, 2 * GIB, Effect.LIVE)
    (shrinks,) = drift(KIND, concrete(capacity="1023MiB"), observed(GIB, "qcow2"))
    assert shrinks.effect is Effect.FORBIDDEN
    (shrinks,) = drift(KIND, concrete(pool="vg", capacity="900MiB"), observed(GIB, None, "block"))
    assert shrinks.effect is Effect.FORBIDDEN


@given(st.integers(1 << 20, 1 << 50), st.integers(1 << 20, 1 << 50))
def test_a_smaller_capacity_is_never_applied(declared: int, found: int) -> None:
    changes = drift(KIND, concrete(capacity=f"{declared}B"), observed(found, "qcow2"))
    assert [change.effect for change in changes] == (
        [Effect.LIVE] if declared > found else [Effect.FORBIDDEN] if found - declared >= 1024 else []
    )


def test_another_format_or_base_is_refused() -> None:
    changes = drift(KIND, concrete(format="qcow2", backingVolume="vg/base"), observed(GIB, "raw"))
    assert {(change.pointer, change.effect) for change in changes} == {
        ("/format", Effect.FORBIDDEN),
        ("/backingVolume/path", Effect.FORBIDDEN),
    }


def test_a_base_that_nobody_knows_says_what_to_do() -> None:
    with pytest.raises(Unrenderable, match=r"vg/other isn't on this host; declare it"):
        concrete(backingVolume="vg/other")


def test_a_base_that_is_still_to_be_made_has_a_path_already() -> None:
    assert concrete(backingVolume="later.qcow2")["backingVolume"]["path"] == "/srv/images/later.qcow2"
