"""A file of YAML becomes documents and problems, whatever is in it."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.document import MAX_DOCUMENTS, MAX_FILE_BYTES, parse
from specs.reference import Ref
from specs.registry import kinds
from tests.specs.written import one, read, told, written


def message_of(text: str | bytes) -> str:
    (problem,) = read(text).problems
    return str(problem)


def value_of(scalar: str) -> object:
    return one(written("VirtualMachine", f"title: {scalar}")).spec["title"]


class TestAGoodDocument:
    def test_gives_everything_that_later_stages_ask_for(self) -> None:
        text = """\
            apiVersion: onggi/v1
            kind: VirtualMachine
            metadata:
              name: web
              uid: 1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30
              labels: {team: shop}
              annotations: {onggi/protect: "true"}
            spec:
              memory: 512
            """
        document = one("\n".join(line[12:] for line in text.splitlines()))
        assert document.ref == Ref("VirtualMachine", "web")
        assert (document.kind, document.name, document.path) == ("VirtualMachine", "web", "a.yaml")
        assert document.uid == "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"
        assert document.labels == {"team": "shop"}
        assert document.annotations == {"onggi/protect": "true"}
        assert document.spec == {"memory": 512}
        assert (document.line, document.index) == (1, 0)

    def test_knows_where_each_of_its_values_stands(self) -> None:
        text = "# a comment\n---\n" + written(
            "VirtualMachine", "memory: 512\ndisks:\n  - size: 1GiB\n    bus: virtio\n  - volume: b"
        )
        document = one(text)
        assert document.locate("") == (3, 1)
        assert document.locate("/metadata/name") == (6, 3)
        assert document.locate("/spec/disks/0/bus") == (11, 7)
        assert document.locate("/spec/disks/1") == (12, 7)

    def test_shares_its_keys_and_words_with_all_that_have_them(self) -> None:
        first, second = (one(written("VirtualMachine", f"title: {each}\nmachine: some-q35")) for each in "ab")
        assert first.spec["machine"] is second.spec["machine"]
        assert all(mine is other for mine, other in zip(first.spec, second.spec, strict=True))

    def test_locates_what_is_not_written_at_what_would_hold_it(self) -> None:
        document = one(written("VirtualMachine", "disks:\n  - size: 1GiB"))
        assert document.locate("/spec/disks/0/bus/x") == document.locate("/spec/disks/0") == (7, 7)

    def test_a_volume_is_named_together_with_its_pool(self) -> None:
        assert one(written("StorageVolume", "pool: fast\ncapacity: 1GiB", "root.qcow2")).ref == Ref.volume(
            "fast", "root.qcow2"
        )

    @pytest.mark.parametrize(
        "name", ["web", "a b", "서버", "naïve", "v1.2", "web_1-x", "100%", "a@b:c", "x" * 128, "é" * 100]
    )
    def test_has_a_name_of_letters_symbols_and_inner_blanks(self, name: str) -> None:
        document = one(written("VirtualMachine", "", f'"{name}"'))
        assert document.name == name
        assert told(written("VirtualMachine", "", f'"{name}"')) == []


class TestScalars:
    @pytest.mark.parametrize(
        "scalar",
        ["no", "No", "on", "yes", "off", "y", "52:54:00:12:34:56", "2024-01-01", "2024-01-01T10:00:00Z", "1_000",
         "0b11", "12:30:45", "1.2.3", "=", "0x", "0o9", "+", ".", "tRue", "a#b", "08x"],
    )  # fmt: skip
    def test_are_text_unless_the_core_schema_of_yaml_1_2_says_otherwise(self, scalar: str) -> None:
        assert value_of(scalar) == scalar

    @pytest.mark.parametrize(
        ("scalar", "value"),
        [("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None), ("10", 10),
         ("010", 10), ("0o10", 8), ("0x1F", 31), ("-3", -3), ("+3", 3), ('"10"', "10"), ("'true'", "true"),
         ("!!str 10", "10"), ('!!int "7"', 7), ("|\n    text\n", "text\n")],
    )  # fmt: skip
    def test_of_the_core_schema_have_its_meaning(self, scalar: str, value: object) -> None:
        found = value_of(scalar)
        assert found == value
        assert type(found) is type(value)

    @pytest.mark.parametrize("scalar", ["1.5", "1e3", ".5", "-.inf", ".nan", "1e999"])
    def test_with_a_fraction_are_refused_because_no_field_takes_one(self, scalar: str) -> None:
        assert "put it in quotes if text is meant" in message_of(written("VirtualMachine", f"memory: {scalar}"))

    def test_too_large_for_libvirt_are_refused(self) -> None:
        assert "too large" in message_of(written("VirtualMachine", f"memory: {'9' * 5000}"))


class TestSeveralDocuments:
    def test_are_read_in_order_with_the_lines_of_the_file(self) -> None:
        parsed = read(
            "---\n".join([written("VirtualMachine", "", "a"), "# nothing here\n", written("VirtualMachine", "", "b")])
        )
        assert [(d.name, d.index, d.line) for d in parsed.documents] == [("a", 0, 1), ("b", 1, 10)]

    def test_survive_a_broken_one_between_them(self) -> None:
        parts = [written("VirtualMachine", "", "a"), 'kind: "never closed\n', written("VirtualMachine", "", "b")]
        parsed = read("---\n".join(parts))
        assert [document.name for document in parsed.documents] == ["a", "b"]
        (problem,) = parsed.problems
        assert (problem.line, problem.column, problem.ref) == (8, 7, None)
        assert "never closed" in problem.message

    def test_may_carry_directives_and_end_marks(self) -> None:
        first, second = written("Network", "mode: nat"), written("Network", "mode: nat", "b")
        text = f"%YAML 1.2\n---\n{first}...\n%YAML 1.2\n---\n{second}"
        assert [document.name for document in read(text).documents] == ["thing", "b"]

    def test_are_not_cut_inside_a_text_block(self) -> None:
        document = one(written("VirtualMachine", "description: |\n  ---\n  ...\n  end"))
        assert document.spec["description"] == "---\n...\nend\n"

    def test_have_a_limit(self) -> None:
        parsed = read(
            "---\n" + "---\n".join(written("Network", "mode: nat", f"n{i}") for i in range(MAX_DOCUMENTS + 1))
        )
        assert len(parsed.documents) == MAX_DOCUMENTS
        assert "more than 1000 documents" in parsed.problems[-1].message

    @pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n---\n", "---\n...\n", "\ufeff", "null\n"])
    def test_may_be_none_at_all(self, text: str) -> None:
        parsed = read(text)
        assert (parsed.documents, parsed.problems) == ((), ())


class TestAKind:
    @pytest.mark.parametrize("kind", ["VirtualMashine", "virtualmachine", "vm", "Vm"])
    def test_that_is_misspelt_is_recognised(self, kind: str) -> None:
        text = message_of(f"apiVersion: onggi/v1\nkind: {kind}\n")
        assert text.startswith(f"a.yaml:2:1: There is no kind `{kind}`; did you mean VirtualMachine?")
        assert "Network, NetworkFilter, Secret, StoragePool, StorageVolume, Template, VirtualMachine" in text

    @pytest.mark.parametrize("kind", ["[]", "1", '"a\\nb"', '"<x>"', "null", '""'])
    def test_that_is_nothing_of_the_sort_is_never_echoed(self, kind: str) -> None:
        assert "This isn't a kind; write one of Distribution, MediatedDevice, Network" in message_of(
            f"apiVersion: onggi/v1\nkind: {kind}\n"
        )

    def test_has_to_be_there(self) -> None:
        assert "This document has no `kind`" in message_of("apiVersion: onggi/v1\n")

    @pytest.mark.parametrize("text", ["just text", "- a\n- b\n", "5"])
    def test_needs_a_mapping(self, text: str) -> None:
        assert "A document is a mapping" in message_of(text)


class TestAName:
    @pytest.mark.parametrize(
        ("name", "why"),
        [('"a/b"', "the character /"), ('"a\\\\b"', "the character \\"), ("'a\"b'", 'the character "'), ('"a\'b"', "'"),
         ('"<x>"', "the character <"), ('"a&b"', "the character &"), ('"a\\nb"', "a line break"), ('"a\\0"', "control"),
         ('"a\\n"', "a line break"), ('"a\\tb"', "a tab"), ('".."', "begin with `.`"), ('"."', "begin with `.`"),
         ('"-rf"', "begin with `-`"), ('".hidden"', "begin with `.`"), ('" a"', "blank"), ('"a "', "blank"),
         ('""', "can't be empty"), (f'"{"x" * 129}"', "at most 128 characters"), (f'"{"서" * 100}"', "200 bytes"),
         ('"a\\u202eb"', "U+202E"), ('"a\\u200bb"', "U+200B"), ("12", "has to be text"), ("[a]", "has to be text"),
         ('"a\\u00a0"', "blank")],
    )  # fmt: skip
    def test_that_could_do_harm_is_refused_and_names_nothing(self, name: str, why: str) -> None:
        parsed = read(written("VirtualMachine", "", name))
        assert parsed.documents == ()
        assert [problem.ref for problem in parsed.problems] == [None]
        assert why in parsed.problems[0].message
        assert parsed.problems[0].pointer == "/metadata/name"
        assert "\n" not in str(parsed.problems[0])

    def test_that_is_missing_hides_nothing_else_that_is_wrong(self) -> None:
        problems = read("apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {}\nspec:\n  cpus: many\n").problems
        assert [problem.pointer for problem in problems] == ["/metadata", "/spec/cpus"]

    def test_of_a_volume_needs_its_pool(self) -> None:
        problems = read(written("StorageVolume", "capacity: 1GiB")).problems
        assert [(problem.message, problem.ref) for problem in problems] == [
            ("A StorageVolume needs `spec.pool`; add it.", None)
        ]


class TestBrokenYaml:
    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            ("a: 1\na: 2\nkind: Network\n", "2:1", "`a` is written twice, first on line 1"),
            ("kind: Network\nspec:\n  mode: nat\n  vlan: 1\n  mode: nat\n", "5:3", "first on line 3"),
            ("a:\n\tb: 1\n", "2:1", "A tab can't be used for indentation"),
            ("a: b: c\n", "1:5", "A colon can't stand here"),
            ("a: [1, 2\nb: 1\n", "1:4", "isn't closed"),
            ("a: 'x\nb: 1\n", "1:4", "never closed"),
            ("a: @x\n", "1:4", "can't begin with `@`"),
            ("a: 1\nb\n", "2:1", "isn't a `key: value`"),
            ("a: &x 1\nb: *x\n", "2:4", "Aliases"),
            ("a: *nothing\n", "1:4", "Aliases"),
            ("a: &x [*x]\n", "1:8", "Aliases"),
            ("<<: {a: 1}\nkind: Network\n", "1:1", "Merge keys"),
            ("1: a\nkind: Network\n", "1:1", "A key has to be text"),
            ("? [a]\n: b\nkind: Network\n", "1:3", "A key has to be text"),
            ("kind: !!python/object:os.system x\n", "1:7", "The tag"),
            ("kind: Network\na: !mine [1]\n", "2:4", "The tag `!mine`"),
            ('kind: Network\na: "\\0"\n', "2:4", "control character"),
            ("[1]\n[2]\n", "2:1", "A second value begins here"),
        ],
    )
    def test_is_told_with_its_place_and_remedy(self, text: str, place: str, words: str) -> None:
        (problem,) = [problem for problem in map(str, read(text).problems) if words in problem]
        assert problem.startswith(f"a.yaml:{place}: ")

    def test_inside_a_recognised_document_carries_its_reference(self) -> None:
        problems = read(written("VirtualMachine", "cpus: 1\ncpus: 2\nmemoryy: 1")).problems
        assert [(p.pointer, p.ref) for p in problems] == [
            ("/spec/cpus", Ref("VirtualMachine", "thing")),
            ("/spec/memoryy", Ref("VirtualMachine", "thing")),
        ]


class TestUnreadableFiles:
    def test_that_are_not_utf_8_say_where(self) -> None:
        assert message_of(b"a: 1\nb: \xe9t\xe9\n") == "a.yaml:2:4: The byte 0xe9 isn't UTF-8; save the file as UTF-8."

    def test_in_utf_16_are_recognised(self) -> None:
        assert "UTF-16; save it as UTF-8" in message_of("a: 1".encode("utf-16"))

    def test_that_git_lfs_has_put_a_pointer_for_are_told_as_that(self) -> None:
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 12\n" % (b"0" * 64)
        assert message_of(pointer).startswith("a.yaml:1:1: The file is a Git LFS pointer")

    def test_may_begin_with_a_byte_order_mark(self) -> None:
        assert one(b"\xef\xbb\xbf" + written("Network", "mode: nat").encode()).locate("/kind") == (2, 1)

    @pytest.mark.parametrize(
        ("text", "words"),
        [("a: x\0y", "1:5: The control character NUL"), ("a: 1\nb: \x1b[31m", "2:4: The control character U+001B"),
         ("a: 1\rb: 2", "carriage return"), ("a: x\u2028y", "U+2028"), ("a: \x85", "U+0085")],
    )  # fmt: skip
    def test_with_control_characters_say_where(self, text: str, words: str) -> None:
        assert words in message_of(text)

    def test_may_have_windows_line_ends(self) -> None:
        assert told(written("Network", "mode: nat").replace("\n", "\r\n")) == []


class TestWithoutLibyaml:
    """PyYAML may be installed without its C parser: slower, and the same otherwise."""

    def run(self, expression: str) -> str:
        script = (
            "import yaml; yaml.__with_libyaml__ = False\n"
            "from specs.document import parse; from specs.registry import kinds; import specs.yaml_stream as s\n"
            f"assert s._Base.__module__ == 'specs.yaml_stream'\nprint({expression})"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def test_documents_are_the_same(self) -> None:
        found = self.run("[d.body for k in kinds().values() for d in parse('x', k.example.encode()).documents]")
        examples = [kind.example.encode() for kind in kinds().values()]
        assert found == str([document.body for text in examples for document in parse("x", text).documents])

    def test_limits_and_mistakes_are_the_same(self) -> None:
        assert "nested more than 32 deep" in self.run("parse('x', b'[' * 5000).problems[0]")
        assert self.run("parse('x', b'a: 1\\nb: *x').problems[0]").startswith("x:2:4: Aliases")
        assert self.run("parse('x', b'a: [1\\n').problems[0]").startswith("x:1:4: ")


class TestHostileFiles:
    """None of them takes long, or much memory, or the process with it."""

    def test_of_100_megabytes_are_refused_without_being_parsed(self) -> None:
        content = b"a: [\n" * 20_000_000
        begun = time.perf_counter()
        (problem,) = parse("huge.yaml", content).problems
        assert time.perf_counter() - begun < 5, "it is refused by its size, and not read through"
        assert (problem.line, problem.column) == (0, 0)
        assert "split it into several files" in problem.message

    def test_with_a_bomb_of_aliases_use_no_memory(self) -> None:
        lines = ["a0: &a0 [" + ",".join(["x"] * 9) + "]"]
        lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
        tracemalloc.start()
        problems = read("\n".join(lines)).problems
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "Aliases" in problems[0].message
        assert peak < 5 << 20

    @pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
    def test_nested_without_end_do_not_end_the_process(self, opening: str) -> None:
        # libyaml composes recursively in C: without our limit this is a segmentation fault, hence another process.
        script = (
            f"from specs.document import parse; print(parse('x', ({opening!r} * 200_000).encode()).problems[0].message)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "nested more than 32 deep" in done.stdout or "more than" in done.stdout

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"[" + b"a," * 500_000, id="a list of half a million"),
            pytest.param(b"---\n" * 250_000, id="empty documents"),
            pytest.param(b"---\na\n" * 150_000, id="useless documents"),
            pytest.param(b"a: 1\n" * 200_000, id="one key many times"),
            pytest.param(b"a: 1\n" * 9_000, id="one key as often as is read"),
            pytest.param(b"%\n" * 300_000 + b"---\na: 1\n", id="directives"),
            pytest.param(b"%x\n---\n" * 100_000, id="directives again and again"),
            pytest.param(b"'" + b"\n" * 1_000_000, id="a quote that is never closed"),
            pytest.param(
                b"kind: Network\nspec:\n" + b"".join(b"  k%d: 1\n" % i for i in range(9_000)), id="unknown fields"
            ),
            pytest.param(written("VirtualMachine", "disks:\n" + "  - {size: 1}\n" * 3_000).encode(), id="bad disks"),
            pytest.param(written("VirtualMachine", "template: " + "a " * 400_000).encode(), id="a long name"),
            pytest.param(b"? " + b"a" * 1_000_000 + b"\n: 1\n", id="a long key"),
        ],
    )
    def test_are_answered_quickly(self, content: bytes) -> None:
        assert len(content) <= MAX_FILE_BYTES
        begun = time.perf_counter()
        problems = told(content)
        assert time.perf_counter() - begun < 5
        assert len(problems) <= 2 * MAX_DOCUMENTS
        assert all(len(str(problem)) < 2000 for problem in problems)


_FRAGMENTS = st.sampled_from(
    ["a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "&x ", "*x", "!t ", "|", ">", '"', "'", "\t", "---\n",
     "...\n", "%YAML 1.2\n", "#", "? ", "<<: ", "\r\n", "\\x00", "é", "\ufeff", "kind: VirtualMachine\n",
     "metadata: {name: x}\n",
     "apiVersion: onggi/v1\n", "spec:\n", "  memory: ", "  disks:\n  - ", "size: 1GiB", "null", "-1", "0x", "1e5",
     "\U0001f600"]
)  # fmt: skip


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=2000) | st.lists(_FRAGMENTS, max_size=60).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_answered_without_an_exception(content: bytes) -> None:
    for problem in told(content):
        assert problem.message
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in str(problem)
