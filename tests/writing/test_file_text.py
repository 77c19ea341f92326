"""Editing the text that people wrote: what has to differ differs, and nothing else does."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import InvalidDocument
from reconciler.writing.file_text import new_file, with_document, without_document
from reconciler.writing.pairing import same
from specs.document import Document, parse
from specs.reference import Ref

ROOT = Path(__file__).parents[2]
FILES = sorted(
    [*ROOT.glob("specs/*/example.yaml"), *(p for p in ROOT.glob("examples/*/*.yaml") if p.name != "onggi.yaml")]
)
DOCUMENTS = [(path, document.ref) for path in FILES for document in parse(path.name, path.read_bytes()).documents]

WEB = b"""\
# Our web server.
apiVersion: onggi/v1
kind: VirtualMachine
metadata:
  name: web     # as in DNS
spec:
  memory: 512   # MiB
  title: 'The shop'

  disks:
    # The system.
    - name: root
      size: 20GiB
      # bus: virtio
    - name: data          # grows
      size: "100GiB"
    # - volume: old
  interfaces: [{network: default, model: virtio}]
  runStrategy: Halted
"""
WEB_REF = Ref("VirtualMachine", "web")


def document(content: bytes, ref: Ref) -> Document:
    return next(document for document in parse("a.yaml", content).documents if document.ref == ref)


def body(content: bytes, ref: Ref = WEB_REF) -> dict[str, Any]:
    return copy.deepcopy(dict(document(content, ref).body))


def diff(before: bytes, after: bytes) -> list[str]:
    old, new = (text.decode().split("\n") for text in (before, after))
    return [line for line in difflib.ndiff(old, new) if line[:2] in ("- ", "+ ")]


def changed(content: bytes, **spec: Any) -> bytes:
    wanted = body(content)
    for key, value in spec.items():
        if value is None:
            del wanted["spec"][key]
        else:
            wanted["spec"][key] = value
    return with_document("a.yaml", content, WEB_REF, wanted)


def test_a_changed_number_changes_its_line_and_keeps_the_comment_in_its_column() -> None:
    assert diff(WEB, changed(WEB, memory=2048)) == ["-   memory: 512   # MiB", "+   memory: 2048  # MiB"]


def test_a_changed_text_keeps_its_quotes() -> None:
    assert diff(WEB, changed(WEB, title="It's new")) == ["-   title: 'The shop'", "+   title: 'It''s new'"]


def test_an_added_disk_adds_lines_behind_the_others() -> None:
    disks = [*body(WEB)["spec"]["disks"], {"name": "log", "size": "1GiB"}]
    after = changed(WEB, disks=disks)
    assert diff(WEB, after) == ["+     - name: log", "+       size: 1GiB"]
    assert b'size: "100GiB"\n    - name: log\n      size: 1GiB\n    # - volume: old\n' in after


def test_a_removed_disk_takes_its_own_comments_along() -> None:
    after = changed(WEB, disks=body(WEB)["spec"]["disks"][1:])
    assert diff(WEB, after) == ["-     - name: root", "-       size: 20GiB", "-       # bus: virtio"]


def test_disks_that_change_places_are_moved_as_they_are_written() -> None:
    after = changed(WEB, disks=body(WEB)["spec"]["disks"][::-1])
    assert b"- name: data          # grows\n" in after
    assert b"      # bus: virtio\n" in after


def test_a_removed_field_takes_its_line() -> None:
    assert diff(WEB, changed(WEB, title=None)) == ["-   title: 'The shop'"]


def test_a_new_field_stands_where_the_reference_has_it() -> None:
    assert diff(WEB, changed(WEB, maximumMemory=1024)) == ["+   maximumMemory: 1024"]
    assert b"512   # MiB\n  maximumMemory: 1024\n  title" in changed(WEB, maximumMemory=1024)


def test_a_list_in_brackets_grows_within_them() -> None:
    interfaces = [*body(WEB)["spec"]["interfaces"], {"network": "lab"}]
    after = changed(WEB, interfaces=interfaces)
    assert b"  interfaces: [{network: default, model: virtio}, {network: lab}]\n" in after


def test_a_text_of_several_lines_is_a_block() -> None:
    after = changed(WEB, description="One.\nTwo.\n")
    assert b"  description: |\n    One.\n    Two.\n" in after


def test_values_may_become_lists_and_back() -> None:
    after = changed(WEB, disks=[])
    assert b"  disks: []\n" in after
    assert body(changed(after, disks=body(WEB)["spec"]["disks"])) == body(WEB)


def test_lists_that_are_not_indented_stay_so() -> None:
    content = b"apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata:\n    name: web\nspec:\n    disks:\n"
    content += b"    - name: a\n      size: 1\n    memory: 5\n"
    after = changed(content, disks=[{"name": "a", "size": 1}, {"name": "b", "size": 2}])
    assert diff(content, after) == ["+     - name: b", "+       size: 2"]
    after = changed(content, cdroms=[{"name": "cd"}])
    assert b"    cdroms:\n    - name: cd\n" in after


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_byte_order_marks_line_ends_and_a_missing_last_one_stay(bom: bytes, end: bytes, last: bool) -> None:
    content = bom + (WEB if last else WEB.removesuffix(b"\n")).replace(b"\n", end)
    after = changed(content, runStrategy="Always", description="a\nb\n")
    assert after.startswith(bom)
    assert after.replace(b"\r\n", b"").count(b"\n") == (after.count(b"\n") if end == b"\n" else 0)
    assert after.endswith(end) == last
    assert body(after)["spec"]["description"] == "a\nb\n"
    assert len(diff(content, after)) == 5


def test_neighbours_in_the_file_stay_byte_for_byte() -> None:
    other = b"# first\napiVersion: onggi/v1\nkind: Network\nmetadata: {name: n}\nspec:   {mode: isolated}\n...\n"
    last = b"---\napiVersion: onggi/v1\nkind: Network\nmetadata: {name: m}\nspec: {mode: isolated}\n"
    content = other + b"---\n" + WEB + last
    after = changed(content, memory=1)
    assert after.startswith(other + b"---\n# Our web server.\n")
    assert after.endswith(last)
    assert without_document("a.yaml", content, WEB_REF) == other + last
    without_last = without_document("a.yaml", content, Ref("Network", "m"))
    assert without_last == other + b"---\n" + WEB


def test_a_broken_neighbour_stays_too() -> None:
    content = WEB + b"---\nkind: [\n"
    assert changed(content, memory=1).endswith(b"---\nkind: [\n")
    assert without_document("a.yaml", content, WEB_REF) == b"---\nkind: [\n"


def test_nothing_is_left_of_a_file_that_held_only_comments_besides() -> None:
    assert without_document("a.yaml", b"# ours\n---\n" + WEB, WEB_REF) is None


@pytest.mark.parametrize(
    "text",
    ["yes", "0o10", "1e5", "12", "52:54:00:12:34:56", "~", "", " a", "a ", "- a", "a: b", "a #b", "'", '"', "#", "{",
     "é😀", "a\n", "a\nb", "a\n\n\nb\n", " a\nb\n", "a\nb\n\n", "\n", "\ta\nb\n", "a \nb\n", "---\nb\n", "%a",
     "&a", "*a", "!a", "x" * 500 + " y"],
)  # fmt: skip
def test_every_text_comes_back_as_it_was(text: str) -> None:
    for content in (changed(WEB, description=text), changed(WEB, title=text), changed(WEB, osVersion=text)):
        spec = body(content)["spec"]
        assert text in (spec.get("description"), spec.get("title"), spec.get("osVersion"))
    wanted = body(WEB)
    wanted["spec"]["interfaces"][0]["network"] = text
    assert body(with_document("a.yaml", WEB, WEB_REF, wanted)) == wanted
    assert body(new_file("a.yaml", WEB_REF, wanted)) == wanted


@pytest.mark.parametrize("text", ["\x00", "\x1b[2J", "\ud800", "\u2028"])
def test_what_no_file_may_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument):
        changed(WEB, title=text)


def scalars(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in scalars(each, (*way, key))]
    if isinstance(value, list):
        return [found for index, each in enumerate(value) for found in scalars(each, (*way, index))]
    return [way]


def put(value: Any, way: tuple[Any, ...], new: Any) -> None:
    for part in way[:-1]:
        value = value[part]
    value[way[-1]] = new


@pytest.mark.parametrize(("path", "ref"), DOCUMENTS, ids=[f"{path.parent.name}:{ref}" for path, ref in DOCUMENTS])
def test_a_change_of_one_field_is_a_change_of_one_line(path: Path, ref: Ref) -> None:
    content = path.read_bytes()
    for way in scalars(body(content, ref)):
        wanted = body(content, ref)
        if way[0] in ("apiVersion", "kind") or way in (("metadata", "name"), ("spec", "pool")):
            continue
        put(wanted, way, "something-else")
        after = with_document("a.yaml", content, ref, wanted)
        assert same(body(after, ref), wanted)
        old, new = content.split(b"\n"), after.split(b"\n")
        if "\n" not in str(wanted) and len(old) != len(new):
            continue
        if len(old) == len(new):  # all but a text of several lines that became one
            assert sum(a != b for a, b in zip(old, new, strict=True)) == 1, way


names = st.sampled_from(["name", "size", "pool", "a", "b", "network", "mac"])
texts = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=12), st.just("l1\nl2\n"), st.just("k: v # c")
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**9), texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_wanted_is_what_is_read_and_neighbours_stay(data: st.DataObject) -> None:
    path, ref = data.draw(st.sampled_from(DOCUMENTS))
    content = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        wanted = body(content, ref)
        holder: Any = wanted["spec"]
        while isinstance(holder, dict | list) and holder and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            if not isinstance(holder[key], dict | list):
                break
            holder = holder[key]
        if isinstance(holder, dict):
            key = data.draw(st.one_of(names, st.sampled_from(sorted(holder)))) if holder else data.draw(names)
            if holder is wanted["spec"] and key == "pool":
                continue
            if key in holder and data.draw(st.booleans()):
                del holder[key]
            else:
                holder[key] = data.draw(values)
        elif holder and data.draw(st.booleans()):
            del holder[data.draw(st.integers(0, len(holder) - 1))]
        else:
            holder.insert(data.draw(st.integers(0, len(holder))), data.draw(values))
        after = with_document("a.yaml", content, ref, wanted)
        assert same(body(after, ref), wanted)
        for other in parse("a.yaml", content).documents:
            if other.ref != ref:
                assert document(after, other.ref).piece.text == other.piece.text
        content = after
