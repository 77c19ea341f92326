# ruff: noqa: E501  # tables of values
"""Values that nobody would write: what a field's schema takes of them, and what it refuses, chosen by a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from specs.document import parse
from specs.registry import Kind, kinds
from specs.validate import validate

_PARTS = (
    "", " ", "a", "x.iso", "web", "default", "lab/web", "web-root.qcow2", "/", "/srv", "/srv/images/x.iso", "/dev/sr0", "..",
    "../etc", "./", "-rf", "~", "*", "%", "%00", "%s", "%(x)s", "{0}", "${HOME}", "$(id)", "`id`", "\\", "'", '"', "<b>", "&amp;",
    "]]>", "<!--", "<?xml?>", "\0", "\x01", "\x1b[2J", "\x7f", "\x85", "\t", "\n", "\r\n", "\u2028", "\u202e", "\u200b",
    "\ufeff", "\ufffe", "\ud800", "\udfff", "é", "e\u0301", "漢", "😀", "ß", "İ", "ﬁ", "١٢", "½", "NaN", "inf", "-0", "0x10", "0o7",
    "1e999", "1_000", "999999999999999999999", "null", "true", "yes", "~", "[]", "{}", "[" * 40, "{" * 40, "(" * 40, "!!x",
    "!tag y", "&a *a", "---", "...", "# c", ": ", "- ", "? ", "|", ">", "@", "=", ",", ";", "a" * 64, "a" * 300, "a" * 5000,
)  # fmt: skip
_HOSTS = (
    "mirror", "a.b", "127.0.0.1", "[::1]", "[bad", "bad]", "[]", "[fe80::1%25eth0]", "a..b", "-a", "a_b", "müller", "a%00", "u@h",
    "u:p@h", "", ":", "x" * 300, "ａ／ｂ", "1.2.3", "0x7f.1",
)  # fmt: skip
_PORTS = ("", ":80", ":0", ":99999", ":-1", ":x", ":", ":٣", ":00080")
_PATHS = (
    "",
    "/",
    "/x.iso",
    "/%00.iso",
    "/%FF",
    "/a b",
    "/%2e%2e/",
    "/é",
    "/?q=%00&a=b",
    "/#f",
    "//",
    "/\u202e",
    "/" + "x" * 5000,
)
_SCHEMES = ("http://", "https://", "ftp://", "ftps://", "tftp://", "file://", "HTTP://", "http:", "://", "qemu+ssh://")
_ADDRESSES = (
    "10.0.0.1", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "01.2.3.4", "::", "::1", "::ffff:1.2.3.4", "fe80::1%eth0",
    "2001:DB8:0:0::1", "2001:db8::0001", "10.0.0.0/24", "10.0.0.0/0", "10.0.0.1/32", "10.0.0.1/33", "0.0.0.0/8", "::/0",
    "224.0.0.0/24", "127.0.0.0/8", "192.168.1.77/30", "52:54:00:00:00:01", "FE:FF:FF:FF:FF:FF", "00:00:00:00:00:00",
)  # fmt: skip
_TIMES = (
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-12-31T23:59:60Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "2026-W01-1", "0000-00-00T00:00:00Z", "never",
)  # fmt: skip
_SIZES = (
    "0", "1B", "1KiB", "16MiB", "1GiB", "1024", "1.5GiB", "0.0000001GiB", "99999999999TiB", "1e3GiB", "-1GiB", "1 GiB", "1gib",
    "١GiB", "8EiB", "9223372036854775807B", "18446744073709551616", "nanGiB", "infGiB", "00001GiB", "1.GiB", ".5GiB",
)  # fmt: skip
_YAMLS = (
    "instance-id: x\n", "when: 2026-02-30\n", "a: !!python/object:os.system x\n", "a: !x y\n", "[" * 600, "{" * 600,
    "- " * 600 + "x", "a: &a [*a]\n", "&a [*a, *a]", "? [a]\n: b\n", "? {a: b}\n: c\n", "1: 2\n", "a: 1\na: 2\n", "\ta: b\n",
    "a: .nan\n", "a: 0x\n", "<<: 1\n", "<<: {a: b}\n", "=: x\n", "a: 1:99:99\n", "a: 99999999999999999999999999999\n",
    "a: 2001-12-14t21:59:43.10-99:99\n", "a: !!binary xxx\n", "a: !!timestamp x\n", "a: !!int x\n", "%YAML 9.9\n---\na: b\n",
    "a: b\n---\nc: d\n", "null", "", "text", "- a\n- b\n", "#cloud-config\n", "a: \"\\ud800\"\n", "a: \"\\x00\"\n",
)  # fmt: skip
_WORDS = (
    "/memory",
    "/disks",
    "/disks/0/bus",
    "/disks/root",
    "/active",
    "/autostart",
    "/dhcp/hosts/0",
    "/source/url",
    "/a~1b",
    "/~0",
    "ab" * 32,
    "vda",
    "sdb",
    "hdc",
    "vdzz",
    "iqn.2024-01.org.example:disks",
    "eui.0123456789abcdef",
    "5001405512345678",
    "scsi_host2",
    "pci_0000_00_19_0",
    "usb_1_2",
    "scsi_3_0_0_1",
    "br0",
    "eth0.4094",
    "virtio",
    "e1000",
    "q35",
    "pc",
    "pc-q35-7.2",
    "Name",
    "disks,cdroms",
    "true",
    "ext4",
    "nfs",
    "raw",
    "example.org",
    "web.example.org",
    "debian",
    "12",
)
_NUMBERS = (
    -1, 0, 1, 2, 3, 7, 16, 60, 64, 100, 255, 256, 4094, 4095, 4096, 65535, 65536, 1 << 20, (1 << 20) + 1, 1 << 30, (1 << 31) - 1,
    1 << 31, 1 << 32, 1 << 40, 1 << 53, (1 << 63) - 1, 1 << 63, 1 << 64, 10**18,
)  # fmt: skip
_ODD = (None, True, False, "", [], {}, 0, -1, "x", 1 << 63, [[]], [{}], {"a": {}}, [None])

_UID = "1c0b3c4e-7a0b-4a35-8d0d-0d9f6c0f3c30"

Draw = random.Random


def text(draw: Draw) -> str:
    """Any text: a URL, an address, a time, a size, YAML, or anything put together."""
    return draw.choice(
        (
            lambda: draw.choice(_PARTS),
            lambda: "".join(draw.choice(_PARTS) for _ in range(draw.randint(2, 4))),
            lambda: draw.choice(_SCHEMES) + draw.choice(_HOSTS) + draw.choice(_PORTS) + draw.choice(_PATHS),
            lambda: draw.choice(_ADDRESSES),
            lambda: draw.choice(_WORDS),
            lambda: draw.choice(_WORDS),
            lambda: draw.choice(_TIMES),
            lambda: draw.choice(_SIZES),
            lambda: draw.choice(_YAMLS),
            lambda: "".join(chr(draw.choice((draw.randint(1, 127), draw.randint(128, 0x2FFF)))) for _ in range(6)),
        )
    )()


class Documents:
    """Documents of one kind, most of which are of the right shape. Names are few, so that they refer to each other."""

    def __init__(self, kind: Kind, draw: Draw, names: Mapping[str, Sequence[str]], odd: float = 0.01) -> None:
        """`names` are those that a field of the same name, or of a reference, may have; `odd` of all values are wrong."""
        self._kind = kind
        self._draw = draw
        self._names = names
        self._odd = odd

    def document(self, name: str) -> dict[str, Any]:
        """One document, most often one that is taken: what is refused of it is left out again."""
        made = self._made(name)
        for _ in range(8 if self._draw.random() < 0.9 else 0):
            parsed = parse("x.yaml", json.dumps(made).encode())
            problems = [*parsed.problems, *(each for one in parsed.documents for each in validate(one))]
            if not problems:
                break
            for problem in problems:
                if problem.pointer in ("", "/spec") or not _removed(made, problem.pointer):
                    kept = {key: value for key, value in made["spec"].items() if self._draw.random() < 0.3}
                    made["spec"] = {**self._example(), **kept}
        return made

    def _made(self, name: str) -> dict[str, Any]:
        schema = self._whole(self._kind.schema["properties"]["spec"])
        if self._draw.random() < 0.5:
            spec = self._example()
            for field in self._draw.sample(list(schema["properties"]), self._draw.randint(1, 4)):
                spec[field] = self._value(schema["properties"][field], field)
        else:
            spec = self._mapping(schema)
        metadata: dict[str, Any] = {"name": name if self._draw.random() < 0.95 else text(self._draw)}
        if self._draw.random() < 0.1:
            metadata["uid"] = self._draw.choice((_UID, _UID.upper(), text(self._draw)))
        if self._draw.random() < 0.1:
            annotations = {key: text(self._draw) for key in ("onggi/adopt", "onggi/complete", "onggi/protect", "x/y")}
            metadata["annotations"] = annotations
        return {"apiVersion": "onggi/v1", "kind": self._kind.name, "metadata": metadata, "spec": spec}

    def _example(self) -> dict[str, Any]:
        return dict(self._draw.choice(_examples(self._kind.name)))

    def _value(self, schema: Mapping[str, Any], field: str) -> Any:
        draw = self._draw
        if draw.random() < self._odd:
            return draw.choice((*_ODD, text(draw)))
        schema = self._whole(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw.choice(schema["enum"])
        types = schema.get("type", "object" if "properties" in schema else "string")
        wanted = draw.choice(types) if isinstance(types, list) else types
        if wanted == "object":
            return self._mapping(schema)
        if wanted == "array":
            return [self._value(schema.get("items", {}), field) for _ in range(draw.choice((0, 1, 1, 2, 3)))]
        if wanted == "boolean":
            return draw.random() < 0.5
        if wanted in ("integer", "number"):
            return self._fitting(schema, lambda: draw.choice((*_NUMBERS, draw.randint(0, 10_000))), 1)
        if field in self._names and draw.random() < 0.8:
            return draw.choice(self._names[field])
        return self._fitting(schema, lambda: text(draw), "a")

    def _mapping(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        draw = self._draw
        fields = schema.get("properties", {})
        required = set(schema.get("required", ()))
        share, alone = draw.choice((0.0, 0.1, 0.3, 0.6)), draw.choice([*fields, ""])
        chosen = [name for name in fields if name in required or name == alone or draw.random() < share]
        return {name: self._value(fields[name], name) for name in chosen}

    def _fitting(self, schema: Mapping[str, Any], make: Callable[[], Any], otherwise: Any) -> Any:
        """A value that the field's pattern takes, nearly always: what gets past the door is what the line has to bear."""
        validator = _validator(self._kind.name, json.dumps(schema))
        for _ in range(40):
            value = make()
            try:
                if validator.is_valid(value):
                    return value
            except UnicodeEncodeError:  # half a surrogate, which no document can hold either
                continue
        examples = schema.get("examples") or [schema.get("default", otherwise)]
        return self._draw.choice(examples)

    def _whole(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """With what it refers to, and with one of its alternatives."""
        if "$ref" in schema:
            schema = {**self._kind.schema["$defs"][schema["$ref"].rpartition("/")[2]], **schema}
        for several in ("oneOf", "anyOf"):
            if several in schema and "properties" not in schema:
                left = {key: value for key, value in schema.items() if key != several}
                return self._whole({**left, **self._draw.choice(schema[several])})
        return schema


def _removed(document: dict[str, Any], pointer: str) -> bool:
    """Take out of a document what a pointer means; False when it isn't there."""
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    holder: Any = document
    for part in way:
        holder = holder.get(part) if isinstance(holder, dict) else _item(holder, part)
    if isinstance(holder, dict) and last in holder:
        del holder[last]
        return True
    if isinstance(holder, list) and _item(holder, last) is not None:
        del holder[int(last)]
        return True
    return False


def _item(holder: Any, part: str) -> Any:
    good = isinstance(holder, list) and part.isdigit() and int(part) < len(holder)
    return holder[int(part)] if good else None


@cache
def _examples(kind: str) -> tuple[dict[str, Any], ...]:
    parsed = parse("example.yaml", kinds()[kind].example.encode())
    return tuple(dict(document.spec) for document in parsed.documents)


@cache
def _validator(kind: str, schema: str) -> Any:
    whole = {**json.loads(schema), "$defs": kinds()[kind].schema["$defs"]}
    return jsonschema_rs.Draft202012Validator(whole)
