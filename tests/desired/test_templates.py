"""How specs are laid over each other, and what a template means for a VM."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.template.meaning import machine_fields, merged

# As in a schema, a field is a dictionary in every spec or in none: a scalar between two dictionaries would cut off what
# is below it, and the order of laying would matter.
leaves = st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=2), st.sampled_from(["x", "y"]))
inner = st.fixed_dictionaries({}, optional={"cores": leaves, "threads": leaves})
specs = st.fixed_dictionaries({}, optional={"cpus": leaves, "disks": leaves, "topology": inner, "graphics": inner})
Spec = dict[str, Any]


@given(specs)
def test_nothing_over_a_spec_or_under_it_is_the_spec(spec: Spec) -> None:
    assert merged(spec, {}) == merged({}, spec) == merged(spec, spec) == spec


@given(specs, specs, specs)
def test_a_chain_can_be_laid_from_either_end(a: Spec, b: Spec, c: Spec) -> None:
    assert merged(merged(a, b), c) == merged(a, merged(b, c))


@given(specs, specs)
def test_what_is_on_top_wins_and_nothing_is_changed_in_place(base: Spec, over: Spec) -> None:
    before = copy.deepcopy((base, over))
    result = merged(base, over)
    assert (base, over) == before
    assert set(result) == set(base) | set(over)
    for key, value in over.items():
        if not isinstance(value, dict):
            assert result[key] == value


def test_a_secrets_place_is_replaced_as_a_whole() -> None:
    base = {"graphics": {"type": "vnc", "passwordFrom": {"file": "/run/one"}}}
    assert merged(base, {"graphics": {"passwordFrom": {"env": "TWO"}}}) == {
        "graphics": {"type": "vnc", "passwordFrom": {"env": "TWO"}}
    }


def test_a_templates_words_become_a_machines() -> None:
    template = {
        "osDistro": "debian",
        "cpus": 2,
        "memory": 1024,
        "storagePool": "fast",
        "folder": ["linux"],
        "networks": ["lan", "lan", "dmz"],
        "disks": [
            {"index": 1, "size": 5, "format": "raw", "pool": "slow"},
            {"index": 0, "size": 10, "base": "b.qcow2"},
        ],
        "cdrom": "/srv/iso/debian.iso",
        "graphics": {"type": "spice"},
        "icon": "images/debian.png",
    }
    assert machine_fields(template) == {
        "osDistro": "debian",
        "cpus": 2,
        "memory": 1024,
        "graphics": {"type": "spice"},
        "icon": "images/debian.png",
        "interfaces": [{"network": "lan"}, {"name": "lan-2", "network": "lan"}, {"network": "dmz"}],
        "disks": [
            {"name": "disk0", "size": "10GiB", "base": "b.qcow2", "pool": "fast"},
            {"name": "disk1", "size": "5GiB", "format": "raw", "pool": "slow"},
        ],
        "cdroms": [{"path": "/srv/iso/debian.iso"}],
    }
    assert machine_fields({"cdrom": "https://x.example/a.iso"})["cdroms"] == [{"url": "https://x.example/a.iso"}]
    assert machine_fields({"cdrom": "isos/a.iso"})["cdroms"] == [{"volume": "isos/a.iso"}]
