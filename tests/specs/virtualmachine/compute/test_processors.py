"""Processors and I/O threads in a definition, and what of a change is said to what runs."""

from __future__ import annotations

from typing import Any

from lxml import etree

from specs.binding import parse
from specs.effect import Effect
from specs.virtualmachine.compute.ranges import as_ranges, numbers
from specs.virtualmachine.live import live_edits
from tests.specs.virtualmachine.test_machine import xml_of
from tests.specs.virtualmachine.world import QEMU, changed, diff, lowered, observed

EXPANDED = xml_of(
    cpu="<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>EPYC</model><vendor>AMD</vendor>"
    "<feature policy='require' name='acpi'/><feature policy='disable' name='vme'/></cpu>",
    attributes="id='1'",
)
NAMED = {"cpuMode": "custom", "cpu": {"model": "EPYC", "features": [{"name": "vmx", "policy": "require"}]}}


def said(spec: dict[str, Any], live: str) -> list[str]:
    """What is said to a running machine, without the blanks between elements."""
    wanted = lowered(spec, QEMU, "web")
    found = live_edits(wanted, parse(live), diff(spec, live, QEMU))
    return [f"{edit.verb} {etree.tostring(parse(edit.value)).decode()}" for edit in found]


def test_what_libvirt_makes_of_a_cpu_while_it_runs_is_no_drift() -> None:
    for spec in (
        {"cpuMode": "host-model", "cpu": {"check": "partial", "features": [{"name": "svm", "policy": "optional"}]}},
        {**NAMED, "cpu": {**NAMED["cpu"], "fallback": "allow", "match": "minimum", "vendor": "AMD"}},
    ):
        assert diff(spec, EXPANDED, QEMU) == []


def test_a_named_cpu_is_written_and_taken_back() -> None:
    plain = xml_of(cpu="<cpu mode='host-model' check='partial'/>")
    text = changed(plain, NAMED, QEMU)
    (cpu,) = parse(text).iterfind("cpu")
    assert (cpu.get("mode"), cpu.findtext("model"), [each.get("name") for each in cpu.iterfind("feature")]) == (
        "custom",
        "EPYC",
        ["vmx"],
    )
    again = parse(changed(text, {"cpuMode": "host-model"}, QEMU, NAMED))
    assert again.find("cpu/model") is None and again.find("cpu").get("mode") == "host-model"


def test_a_feature_that_leaves_the_document_leaves_the_definition_and_others_stay() -> None:
    theirs = xml_of(cpu="<cpu mode='host-model'><feature policy='require' name='svm'/></cpu>")
    spec = {"cpuMode": "host-model", "cpu": {"features": [{"name": "vmx", "policy": "disable"}]}}
    text = changed(theirs, spec, QEMU)
    assert {each.get("name") for each in parse(text).iterfind("cpu/feature")} == {"svm", "vmx"}
    less = changed(text, {"cpuMode": "host-model", "cpu": {"features": []}}, QEMU, spec)
    assert {each.get("name") for each in parse(less).iterfind("cpu/feature")} == {"svm"}


def test_the_model_that_libvirt_takes_by_default_is_custom_too() -> None:
    filled = "<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model></cpu>"
    assert diff({"cpuMode": "custom", "cpu": {"model": "qemu64"}}, xml_of(cpu=filled), QEMU) == []
    (change,) = diff({"cpuMode": "custom", "cpu": {"model": "Nehalem"}}, xml_of(cpu=filled), QEMU)
    assert (change.pointer, change.effect) == ("/cpu/model", Effect.NEXT_BOOT)


def test_fewer_threads_take_what_is_said_of_the_last_ones_along() -> None:
    text = changed(
        xml_of(),
        {
            "ioThreads": 2,
            "cpuTune": {"ioThreadPins": [{"ioThread": 1, "processors": "0"}, {"ioThread": 2, "processors": "1"}]},
        },
        QEMU,
    )
    less = parse(changed(text, {"ioThreads": 1}, QEMU))
    assert [pin.get("iothread") for pin in less.iterfind("cputune/iothreadpin")] == ["1"]


def test_each_setting_is_said_to_what_runs_by_itself() -> None:
    live = xml_of(vcpu="<vcpu>2</vcpu>", attributes="id='1'")
    pins = {"vcpuPins": [{"vcpu": 1, "processors": "0,1,2"}], "shares": 10}
    assert sorted(said({"cpuTune": pins, "memoryTune": {"hardLimit": "1GiB"}}, live)) == [
        "tune <cputune><shares>10</shares></cputune>",
        'tune <cputune><vcpupin vcpu="1" cpuset="0-2"/></cputune>',
        'tune <memtune><hard_limit unit="KiB">1048576</hard_limit></memtune>',
    ]


def test_threads_are_said_as_a_whole_and_once() -> None:
    live = xml_of(attributes="id='1'").replace("<devices/>", "<iothreads>2</iothreads><devices/>")
    assert said({"ioThreads": 3}, live) == [
        'tune <iothreadids><iothread id="1"/><iothread id="2"/><iothread id="3"/></iothreadids>'
    ]
    pools = {"ioThreads": 2, "ioThreadPools": [{"id": 1, "most": 8}, {"id": 7}]}
    assert said(pools, live) == [
        'tune <iothreadids><iothread id="1" thread_pool_max="8"/><iothread id="7"/></iothreadids>'
    ]


def test_schedulers_are_the_same_however_libvirt_divides_them() -> None:
    spec = {"cpus": 2, "cpuTune": {"vcpuSchedulers": [{"vcpus": "0-1", "scheduler": "fifo", "priority": 1}]}}
    one_by_one = "".join(f"<vcpusched vcpus='{cpu}' scheduler='fifo' priority='1'/>" for cpu in (0, 1))
    text = xml_of(vcpu="<vcpu>2</vcpu>").replace("<devices/>", f"<cputune>{one_by_one}</cputune><devices/>")
    assert diff(spec, text, QEMU) == []
    assert observed(text)["cpuTune"]["vcpuSchedulers"] == spec["cpuTune"]["vcpuSchedulers"]


def test_sets_of_numbers_are_read_and_written() -> None:
    assert numbers("0-3,^2,6") == {0, 1, 3, 6}
    assert as_ranges({0, 1, 3, 6}) == "0-1,3,6"
    assert as_ranges(()) == ""
