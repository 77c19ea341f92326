"""A field whose place is a path is read, written, compared and exported by its declaration alone; so is a list of
elements, whichever of them are told apart by what they say and whichever only by their order.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from reconciler.planning.diff import managed_items
from specs.binding import Items, parse, patched, read, serialise, value_at, write
from specs.carried import carried
from specs.comparing import differences
from specs.declared import items, mapping, number, on_off, present, quantity, text, word, yes_no
from specs.declared_binds import complete, sayable
from specs.effect import Effect
from specs.elements import elements_at
from specs.problem import Unrenderable

LIVE, NEXT = Effect.LIVE, Effect.NEXT_BOOT
SIZE = {"unit": "KiB", "pattern": r"^[0-9]+ ?[KMG]iB$", "effect": NEXT}
SPEC = mapping(
    "A thing.",
    {
        "hidden": on_off("Whether.", effect=NEXT, at="features/kvm/hidden/@state", absent=False),
        "pae": present("Whether.", effect=NEXT, at="features/pae", absent=False),
        "limit": quantity("How much.", 1, 1 << 40, at="memtune/hard_limit", codec="KiB@unit", **SIZE),
        "entries": items("Texts.", text("One."), effect=NEXT, at="sysinfo/oem/entry"),
        "vendor": text("Which.", effect=NEXT, at="info[@type='bios']/entry[@name='vendor']"),
        "secure": yes_no("Whether.", effect=NEXT, at="os/feature[@name='secure']/@enabled"),
        "nodes": items("Numbers.", text("One."), effect=NEXT, at="tune/node/@set"),
        "tpm": mapping(
            "A chip.",
            {
                "model": word("Which.", "crb", "tis", effect=NEXT, at="@model"),
                "version": text("Which.", effect=NEXT, at="backend/@version", absent="2.0"),
            },
            at="devices/tpm",
        ),
        "rngs": items(
            "Sources.",
            mapping(
                "One.",
                {
                    "model": text("Which.", effect=NEXT, at="@model"),
                    "rate": number("How much.", 1, 1000, effect=LIVE, at="rate/@bytes"),
                    "backend": text("Whence.", effect=NEXT, at="backend"),
                },
            ),
            at="devices/rng",
            identity=("model",),
            add=LIVE,
            remove=NEXT,
        ),
        "channels": items(
            "Ports.",
            mapping("One.", {"name": text("Which.", effect=NEXT, at="target/@name")}),
            at="devices/channel[target/@type='virtio']",
            identity=("name",),
            effect=LIVE,
        ),
        "cells": items(
            "Cells.",
            mapping(
                "One.",
                {
                    "id": number("Which.", 0, 8, effect=NEXT, at="@id"),
                    "memory": quantity("How much.", 1, 1 << 40, at="@memory", codec="KiB@unit", **SIZE),
                    "shared": yes_no("Whether.", effect=NEXT, at="@shared", absent=False),
                    "distances": items(
                        "How far.",
                        mapping(
                            "One.",
                            {
                                "to": number("Whither.", 0, 8, effect=NEXT, at="@id"),
                                "value": number("How far.", 10, 255, effect=NEXT, at="@value"),
                            },
                        ),
                        at="distances/sibling",
                        identity=("to",),
                        effect=NEXT,
                    ),
                },
            ),
            at="cpu/numa/cell",
            identity=("id",),
            effect=NEXT,
        ),
    },
)
BINDS = complete(SPEC)
BARE = "<thing><devices><channel><target type='isa' name='a'/></channel></devices></thing>"

WORDS = st.sampled_from(["a", "b", "c d", "<&>", "ä"])
SIZES = st.one_of(st.integers(1, 99), st.sampled_from(["1MiB", "3GiB", "10 KiB"]))
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.booleans(),
        "pae": st.booleans(),
        "limit": SIZES,
        "entries": st.lists(WORDS, max_size=3),
        "vendor": WORDS,
        "secure": st.booleans(),
        "nodes": st.lists(WORDS, max_size=3),
        "tpm": st.fixed_dictionaries({"model": st.sampled_from(["crb", "tis"])}, optional={"version": WORDS}),
        "rngs": st.lists(
            st.fixed_dictionaries({"model": WORDS}, optional={"rate": st.integers(1, 1000), "backend": WORDS}),
            max_size=4,
        ),
        "channels": st.lists(st.fixed_dictionaries({"name": WORDS}), max_size=3),
        "cells": st.lists(
            st.fixed_dictionaries(
                {"id": st.integers(0, 8)},
                optional={
                    "memory": SIZES,
                    "shared": st.booleans(),
                    "distances": st.lists(
                        st.fixed_dictionaries({"to": st.integers(0, 8), "value": st.integers(10, 255)}),
                        max_size=3,
                        unique_by=lambda each: each["to"],
                    ),
                },
            ),
            max_size=3,
            unique_by=lambda each: each["id"],
        ),
    },
)


def made(spec: dict[str, Any], xml: str = BARE) -> etree._Element:
    return write(BINDS, parse(xml), carried(SPEC, spec))


@given(SPECS)
def test_what_is_written_is_there_and_nothing_is_left_to_change(spec: dict[str, Any]) -> None:
    lowered, root = carried(SPEC, spec), made(spec)
    assert differences(BINDS, lowered, read(BINDS, root)) == ([], [])
    assert etree.tostring(patched(BINDS, root, lowered)) == etree.tostring(root)


@given(SPECS)
def test_what_a_definition_says_makes_the_same_one_again(spec: dict[str, Any]) -> None:
    root = made(spec)
    again = made(sayable(SPEC, read(BINDS, root)))
    assert read(BINDS, again) == read(BINDS, root)


@given(SPECS, SPECS)
def test_a_document_turns_into_another_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    root, lowered = made(before), carried(SPEC, after)
    changed = patched(BINDS, root, lowered)
    assert differences(BINDS, lowered, read(BINDS, changed))[0] == []


@given(SPECS)
def test_one_walk_finds_what_asking_for_each_field_finds(spec: dict[str, Any]) -> None:
    root = made(spec)
    for bind in BINDS:
        found = value_at(read(BINDS, root), bind.name)
        asked = bind.read(root)
        assert found == asked or (found is None and asked in ([], getattr(bind, "missing", None)))


def test_what_is_a_default_anyway_is_no_drift() -> None:
    spec = {"hidden": False, "pae": False, "tpm": {"version": "2.0"}, "cells": [{"id": 0, "shared": False}]}
    bare = parse("<thing><devices><tpm/></devices><cpu><numa><cell id='0'/></numa></cpu></thing>")
    assert differences(BINDS, carried(SPEC, spec), read(BINDS, bare)) == ([], [])


def test_items_that_nothing_tells_apart_are_told_apart_by_their_order() -> None:
    spec = {"rngs": [{"model": "virtio", "rate": 1}, {"model": "virtio", "rate": 2}]}
    root = made(spec)
    one_changed = {"rngs": [{"model": "virtio", "rate": 1}, {"model": "virtio", "rate": 3}]}
    (change,) = differences(BINDS, carried(SPEC, one_changed), read(BINDS, root))[0]
    assert (change.pointer, change.old, change.new, change.effect) == ("/rngs/virtio#2/rate", 2, 3, LIVE)


def test_one_less_of_two_that_are_alike_takes_the_second_one_and_no_third_that_somebody_added() -> None:
    before, after = carried(SPEC, {"rngs": [{"model": "virtio"}] * 2}), carried(SPEC, {"rngs": [{"model": "virtio"}]})
    managed = managed_items(before, BINDS)
    root = made({"rngs": [{"model": "virtio"}] * 3})
    changes, extras = differences(BINDS, after, read(BINDS, root), managed)
    assert [(change.pointer, change.new, change.effect) for change in changes] == [("/rngs/virtio#2", None, NEXT)]
    assert extras == ["/rngs/virtio#3"]


def test_a_size_may_be_written_in_any_unit() -> None:
    root = parse("<thing><memtune><hard_limit unit='GiB'>2</hard_limit></memtune></thing>")
    for text_of_it in ("2GiB", "2048MiB", 2 << 20):
        assert differences(BINDS, carried(SPEC, {"limit": text_of_it}), read(BINDS, root)) == ([], [])
    assert sayable(SPEC, read(BINDS, root)) == {"limit": "2GiB"}
    with pytest.raises(Unrenderable, match="limit"):
        carried(SPEC, {"limit": "much"})


def test_a_switch_that_says_itself_that_it_is_off_is_off() -> None:
    root = parse("<thing><features><pae state='off'/></features></thing>")
    (change,) = differences(BINDS, {"pae": True}, read(BINDS, root))[0]
    assert (change.old, change.new) == (False, True)
    assert "on" in serialise(patched(BINDS, root, {"pae": True}))


def test_what_a_condition_shuts_out_is_not_looked_at() -> None:
    root = made({"channels": [{"name": "x"}]})
    assert read(BINDS, root)["channels"] == [{"name": "x"}]
    assert {each.findtext(".") for each in root.iter("nothing")} == set()
    assert len(root.findall("devices/channel")) == 2


@pytest.mark.parametrize("place", ["devices/x[", "devices/x[a]", "", "devices/x[@a=b]", "devices/x]['a'"])
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="place"):
        elements_at(place)


def test_a_list_costs_what_is_declared_of_it() -> None:
    rngs = next(bind for bind in BINDS if bind.name == "rngs")
    assert isinstance(rngs, Items)
    assert (rngs.add_effect, rngs.remove_effect) == (LIVE, NEXT)


def test_of_elements_with_one_tag_a_value_is_in_the_one_that_says_so() -> None:
    root = parse("<thing><info type='fw'><entry name='vendor'>x</entry></info></thing>")
    assert "vendor" not in read(BINDS, root)
    changed = patched(BINDS, root, {"vendor": "y"})
    assert [each.get("type") for each in changed.iterfind("info")] == ["fw", "bios"]
    assert read(BINDS, changed)["vendor"] == "y"
