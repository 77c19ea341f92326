# ruff: noqa: E501  # tables of values
"""Makes requests up from what the endpoints declare: what fits, what nearly does, and what nobody would send."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from api.http.access import owner_may
from api.http.discovery import resource_classes
from api.http.endpoint import ANYBODY, Endpoint, endpoints
from api.http.prefix import PREFIX
from api.http.session_cookie import COOKIE, CSRF_HEADER, csrf_token
from reconciler.identity.role import Role
from tests.fuzz.roles.in_process import Asked
from tests.fuzz.values import text

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "CONNECT")
_VARIABLE: Final = re.compile(r"{(\w+)(?::\w+)?}")
_ODD: Final = (
    None,
    True,
    False,
    "",
    [],
    {},
    0,
    -1,
    1.5,
    "x",
    1 << 63,
    -(1 << 70),
    [[]],
    [{}],
    {"a": {}},
    "\0",
    "\u202e",
)
_NUMBERS: Final = (0, 1, 2, 16, 64, 128, 512, 1024, 4096, 65536, 1 << 31, (1 << 63) - 1)
_WHOLE: Final = frozenset({"/vms/{name}", "/networks/{name}", "/storagepools/{pool}", "/templates/{name}"})
_ALWAYS: Final[Mapping[str, Sequence[str]]] = {
    "kind": ("VirtualMachine", "vm", "Network", "pool", "StorageVolume", "x"), "dev": ("vda", "hda", "sda", "hdc", "pci_0000_00_19_0"),
    "file": ("icon-vm.png", "x"), "provider": ("github", "gitlab", "x"), "host": ("localhost", "127.0.0.1"),
    "repo_id": ("none", "x"), "type": ("cdrom", "disk", "network", "dir", "iscsi", "vnc"), "format": ("qcow2", "raw"),
    "connection": ("isolated", "nat", "bridge"), "path": ("/etc/passwd", "/dev/sr0", "/var/lib/libvirt/images/a.iso", ""),
    "users": ("uma", "olaf", "vera", "otto", "root"), "groups": ("people", "makers", "root"), "username": ("uma", "ada", "root"),
    "state": ("running", "shutoff"), "number": ("1",), "snapshot": ("current",),
}  # fmt: skip
_REACHING: Final[tuple[Mapping[str, Any], ...]] = (
    {"users": ["uma", "olaf", "vera", "otto"]}, {"groups": ["people", "lookers", "workers"]}, {"name": "mine-now"},
    {"access": {"users": ["olaf"]}}, {"graphics": {"listen": "0.0.0.0", "type": "vnc"}}, {"graphics": {"type": "spice"}},
    {"graphics": {"passwordFrom": {"file": "/etc/shadow"}}}, {"passwordFrom": {"file": "/etc/shadow"}},
    {"hostDevices": ["pci_0000_00_02_0"]}, {"rawXml": "<devices><disk/></devices>"}, {"domainXml": "<x/>"},
    {"path": "/etc/passwd"}, {"path": "http://192.0.2.1/x.iso"}, {"url": "file:///etc/passwd"},
    {"disks": [{"path": "/etc/shadow"}]}, {"cdroms": [{"path": "/dev/sda"}]}, {"interfaces": [{"network": "default"}]},
    {"console": "0.0.0.0"}, {"_user_id": "ada"}, {"role": "admin"}, {"spec": {"access": {"users": ["olaf"]}}},
    {"metadata": {"annotations": {"onggi/adopt": "true"}}}, {"memory": 128, "users": ["olaf"]},
    {"graphics": {"passwd": "another1"}}, {"graphics": {"passwd": "another1", "passwdValidTo": 5}, "groups": ["people"]},
    {"title": "mine"}, {"description": "it \u202e is"}, {"memory": 96}, {"cpus": 2}, {"autostart": True}, {"bootorder": ["hd"]},
)  # fmt: skip
_RAW: Final[tuple[Callable[[], bytes], ...]] = (
    lambda: b"{", lambda: b"null", lambda: b"[]", lambda: b'"x"', lambda: b"\0" * 9, lambda: b"\xff\xfe{\0}\0",
    lambda: b"[" * 20_000, lambda: b'{"a":' * 5_000 + b"1" + b"}" * 5_000, lambda: b'{"name": "\\ud800"}',
    lambda: b'{"name": "a", "name": "b"}', lambda: b'{"memory": 1e999}', lambda: b'{"memory": ' + b"9" * 5_000 + b"}",
    lambda: b'{"title": "' + b"x" * 200_000 + b'"}', lambda: b" " * 70_000, lambda: b"\xef\xbb\xbf{}", lambda: b"{}{}",
)  # fmt: skip
_TYPES: Final = (b"application/json",) * 12 + (
    b"application/json;charset=utf-8", b"text/plain", b"multipart/form-data; boundary=x", b"multipart/form-data", b"",
    b"application/x-www-form-urlencoded", b"application/json;charset=utf-7", b"\xff",
)  # fmt: skip
_HEADERS: Final[tuple[tuple[str, bytes], ...]] = (
    ("If-Match", b"*"), ("If-Match", b'"x.y"'), ("If-Match", b'"'), ("If-None-Match", b"*"), ("If-None-Match", b'W/"x"'),
    ("Range", b"bytes=0-1"), ("Range", b"bytes=-1"), ("Range", b"bytes=9-1,0-"), ("Range", b"x"), ("Accept", b"text/html"),
    ("Accept", b"text/event-stream"), ("Accept", b"\xff"), ("Accept-Encoding", b"gzip"), ("X-Request-Id", b"r-1"),
    ("X-Request-Id", b"a b"), ("X-HTTP-Method-Override", b"DELETE"), ("X-Original-URL", b"/users"), ("X-Rewrite-URL", b"/users"),
    ("X-Forwarded-User", b"ada"), ("X-Remote-User", b"ada"), ("Remote-User", b"root"), ("X_Forwarded_User", b"ada"),
    ("X-Forwarded-For", b"::1"), ("X-Forwarded-Host", b"evil"), ("X-Forwarded-Proto", b"https"), ("Forwarded", b"for=::1"),
    ("Origin", b"http://127.0.0.1:8010"), ("Origin", b"http://["), ("Origin", b"null"), ("Sec-Fetch-Site", b"cross-site"),
    ("Sec-Fetch-Site", b"same-origin"), ("Authorization", b"Basic"), ("Authorization", b"Basic !!"), ("Authorization", b"Bearer x"),
    ("Authorization", b"Basic YWRhOm5v"), ("Authorization", b"Digest x"), ("Authorization", b"Basic OjA="), ("Last-Event-ID", b"1"),
    ("Last-Event-ID", b"-1"), ("Cookie", b"__Host-onggi=x"), ("Cookie", b"a=\xff"), ("Content-Length", b"5"), ("Expect", b"x"),
    ("Transfer-Encoding", b"chunked"), ("Upgrade", b"websocket"), ("Accept-Language", b"xx" * 999), (CSRF_HEADER, b"x"),
)  # fmt: skip
_QUERIES: Final = (
    "_user_id=ada", "_user_id=", "filter=", "_x=1", "limit=-1", "limit=1", "limit=99999999999999999999", "since=x", "since=0",
    "follow=1", "follow=", "pool=", "%00=%00", "=", "&&&", "name=(a%2B)%2B%24", "name=[", "a[]=1", "name=%ff", "type=vm", "_force=true",
)  # fmt: skip


class Requests:
    """Made up for somebody of a role, or without one. `names` are what there is, by what calls it, `parts`
    what each machine has; the same `draw` and the same names give the same requests. `leave_out` are methods and
    addresses that aren't asked.
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[str]],
        parts: Mapping[str, Mapping[str, str]],
        role: Role | None,
        leave_out: re.Pattern[str] | None = None,
    ) -> None:
        self._parts = parts
        self._names = {key: (*names.get(key, ()), *_ALWAYS.get(key, ())) for key in names.keys() | _ALWAYS.keys()}
        self._anything = sorted({each for several in names.values() for each in several})
        self._table = sorted(
            (
                (f"{resource.address}/{endpoint.name}" if endpoint.name else resource.address, endpoint)
                for resource in resource_classes()
                for endpoint in endpoints(resource).values()
            ),
            key=lambda each: (each[0], each[1].method),
        )
        if leave_out is not None:
            self._table = [each for each in self._table if not leave_out.fullmatch(f"{each[1].method} {each[0]}")]
        # Who is let in can do more wrong than who isn't.
        self._open = [each for each in self._table if _is_open(*each, role)]
        self._open += [each for each in self._open if each[1].method == "PUT" and each[0] in _WHOLE] * 3

    @property
    def addresses(self) -> set[tuple[str, str]]:
        """Every method and address that is asked."""
        return {(endpoint.method, template) for template, endpoint in self._table}

    def one(self, draw: random.Random, session: str, own: Sequence[str]) -> Asked:
        """The next. `own` are machines that they like best."""
        template, endpoint = draw.choice(self._open if draw.random() < 0.7 else self._table)
        while endpoint.method == "DELETE" and template in _WHOLE and draw.random() < 0.99:
            template, endpoint = draw.choice(self._open)  # what is gone can't be asked any more
        mine = own if own and draw.random() < 0.7 else ()
        method = endpoint.method if draw.random() < 0.85 else draw.choice(_METHODS)
        path = self._odd_way(self._path(template, draw, mine), draw)
        body = self._body(endpoint, draw) if method not in ("GET", "HEAD") or draw.random() < 0.02 else b""
        return Asked(method, path, self._query(endpoint, draw), tuple(self._headers(draw, session, body)), body)

    def _path(self, template: str, draw: random.Random, mine: Sequence[str]) -> str:
        kind = "vol" if "/storagevolumes/" in template else template.split("/")[1]
        parts: Mapping[str, str] = {}
        if kind == "vms":
            machine = draw.choice(mine) if mine else self._name("vms", draw)
            parts = {"name": machine, **self._parts.get(machine, {})}

        def filled(found: re.Match[str]) -> str:
            value = parts.get(found[1], "") if found[1] == "name" or draw.random() < 0.8 else ""
            called = kind if found[1] == "name" and kind in self._names else found[1]
            return _written((value or self._name(called, draw)).encode("utf-8", "surrogatepass"), draw)

        return _VARIABLE.sub(filled, template)

    def _name(self, kind: str, draw: random.Random) -> str:
        known = self._names.get(kind, ())
        chance = draw.random()
        if chance < 0.8 and known:
            return draw.choice(known)
        if chance < 0.93:
            return draw.choice(self._anything)
        return text(draw)[:500]

    def _odd_way(self, path: str, draw: random.Random) -> str:
        if draw.random() < 0.8:
            return path
        *before, last = path.split("/")
        above = "/".join(before)
        return draw.choice(
            (
                lambda: f"{path}/",
                lambda: f"{path}//",
                lambda: f"/{path}",
                lambda: f"{PREFIX}{path}",
                lambda: f"{PREFIX}{PREFIX}{path}",
                lambda: f"/plugins{path}",
                lambda: f"{above}/x/../{last}",
                lambda: f"{above}/./{last}",
                lambda: f"{above}/%2e%2e/{last}",
                lambda: f"{above}/x%2f..%2f{last}",
                lambda: f"{above}%2f{last}",
                lambda: path.upper(),
                lambda: f"{path}%00",
                lambda: f"{path};x=1",
                lambda: f"{path}.json",
                lambda: (
                    f"{path}/{draw.choice(('start', 'clone', 'snapshots', 'storages/hdc', 'access', 'x', '%ff', '..'))}"
                ),
                lambda: f"{path}%0d%0aX-Other:%201",
                lambda: "".join(f"%{ord(each):02x}" if draw.random() < 0.3 and each != "/" else each for each in path),
                lambda: f"{path}%c0%ae%c0%ae",
                lambda: path * 20,
                lambda: "*",
                lambda: "/",
            )
        )()

    # Queries

    def _query(self, endpoint: Endpoint, draw: random.Random) -> bytes:
        if draw.random() < (0.4 if endpoint.filters or endpoint.query else 0.9):
            return b""
        parts = []
        fields = [*_fields(endpoint.returns), *endpoint.query, "name", "id", "uuid", "title"]
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            if draw.random() < 0.2:
                parts.append(draw.choice(_QUERIES))
                continue
            value = draw.choice(self._anything) if draw.random() < 0.6 else text(draw)[:300]
            if draw.random() < 0.3:
                value = (
                    draw.choice(("^", ".*", "^.*", "(?i)"))
                    + value[: draw.randint(1, 12)]
                    + draw.choice(("", ".*", "$"))
                )
            parts.append(f"{quote(draw.choice(fields))}={quote(value.encode('utf-8', 'surrogatepass'))}")
        return "&".join(parts).encode()

    # Bodies

    def _body(self, endpoint: Endpoint, draw: random.Random) -> bytes:
        chance = draw.random()
        if chance < 0.12:
            return b"" if chance < 0.04 else draw.choice(_RAW)()
        schema = endpoint.body.schema if endpoint.body is not None else endpoint.form or {}
        value = self._value(schema, "", draw, 0.0 if chance < 0.6 else 0.15) if schema else {}
        if isinstance(value, dict) and draw.random() < 0.25:
            reaching = draw.choice(_REACHING)
            value = dict(reaching) if draw.random() < 0.5 else {**value, **reaching}
        content = json.dumps(value).encode("utf-8", "surrogatepass")
        if draw.random() < 0.02:
            at = draw.randrange(len(content))
            content = content[:at] + bytes([draw.randrange(256)]) + content[at + draw.randint(0, 2) :]
        return content

    def _value(self, schema: Mapping[str, Any], field: str, draw: random.Random, odd: float) -> Any:
        if draw.random() < odd:
            return draw.choice((*_ODD, text(draw)))
        for several in ("oneOf", "anyOf"):
            if several in schema:
                rest = {key: value for key, value in schema.items() if key != several}
                return self._value({**rest, **draw.choice(schema[several])}, field, draw, odd)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        match draw.choice(kind) if isinstance(kind, list) else kind:
            case "object":
                return self._mapping(schema, draw, odd)
            case "array":
                items = schema.get("items", {})
                return [self._value(items, field, draw, odd) for _ in range(draw.choice((0, 1, 1, 2, 9)))]
            case "boolean":
                return draw.random() < 0.5
            case "integer" | "number":
                low, high = schema.get("minimum", 0), schema.get("maximum", 1 << 40)
                fitting = [each for each in _NUMBERS if low <= each <= high] or [low]
                return draw.choice(fitting) if draw.random() > odd else draw.choice(_NUMBERS)
            case "null":
                return None
        examples = schema.get("examples")
        if "pattern" in schema and draw.random() > odd:
            fitting = [each for each in self._anything if re.search(schema["pattern"], each)] + list(examples or ())
            if fitting and draw.random() < 0.9:
                return draw.choice(fitting)
        if examples and draw.random() < 0.4:
            return draw.choice(examples)
        if field == "template" and draw.random() < 0.8:
            return f"/templates/{self._name('template', draw)}"
        if field in self._names and draw.random() < 0.8:
            return draw.choice(self._names[field])
        return draw.choice(self._anything) if draw.random() < 0.03 else text(draw)

    def _mapping(self, schema: Mapping[str, Any], draw: random.Random, odd: float) -> dict[str, Any]:
        fields = schema.get("properties", {})
        required = set(schema.get("required", ()))
        share, alone = draw.choice((0.0, 0.0, 0.0, 0.1, 0.3, 0.6)), draw.choice([*fields, ""])
        made = {
            name: self._value(fields[name], name, draw, odd)
            for name in fields
            if (name in required and draw.random() >= odd / 3) or name == alone or draw.random() < share
        }
        return {**made, text(draw): 1} if draw.random() < odd / 3 else made

    # Headers

    def _headers(self, draw: random.Random, session: str, body: bytes) -> list[tuple[str, bytes]]:
        host = (
            b"127.0.0.1:8010"
            if draw.random() < 0.98
            else draw.choice((b"", b"evil.example", b"[::1]", b"a b", b"\xff"))
        )
        made = [("Host", host)]
        if session:
            made += [("Cookie", f"{COOKIE}={session}".encode())]
            if draw.random() < 0.97:
                made += [(CSRF_HEADER, csrf_token(session).encode())]
        if body:
            made += [("Content-Type", draw.choice(_TYPES))]
        while draw.random() < 0.15:
            made.append(draw.choice(_HEADERS))
        return made


def _written(name: bytes, draw: random.Random) -> str:
    """As a part of an address, sometimes with each byte written so that nobody sees it."""
    return "".join(f"%{byte:02x}" for byte in name) if draw.random() < 0.05 else quote(name, safe="")


def _is_open(template: str, endpoint: Endpoint, role: Role | None) -> bool:
    """Whether somebody may be let in. An owner is one of a machine, and whether they are it has to be found out."""
    if endpoint.role is ANYBODY or role is None:
        return endpoint.role is ANYBODY
    return role >= endpoint.role or (template.startswith("/vms/{name}") and owner_may(endpoint))


def _fields(schema: Mapping[str, Any] | None) -> Sequence[str]:
    found = dict(schema or {})
    return list(dict(found.get("items", found)).get("properties", ()))
