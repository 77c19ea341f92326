# ruff: noqa: E501  # tables of values
"""Asks a running agent what nobody would, as somebody: whoever it is sees and changes no more than what is theirs.

`python -m tests.fuzz.people --as other --requests 100000` asks as much as is wanted.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import logging
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import libvirt

from api.http.discovery import resource_classes
from api.http.openapi import openapi
from tests.api.live import LiveApi
from tests.api.own_machines import MINE, YOURS, document, peopled
from tests.fuzz.values import text
from tests.lab.people import BY_NAME
from tests.lab.repositories import git
from tests.lab.waiting import until
from tests.stories.hosts import SHARED

# Who asks, and which machines are theirs; operators work with all.
PEOPLE: Final[dict[str, tuple[str, frozenset[str]]]] = {
    "nobody": ("", frozenset()),
    "other": ("olaf", frozenset()),
    "owner": ("uma", frozenset({"hers", "theirs"})),
    "viewer": ("vera", frozenset({"veras"})),
    "operator": ("otto", frozenset({*MINE, *YOURS, "test"})),
}
_MARKS: Final = ("the title of zebra", "for what zebra is", "zebra-root")
_NAMES: Final = (
    *MINE,
    *YOURS,
    "absent",
    "test",
    "default-pool",
    "default",
    "zebra-root.qcow2",
    "hers-root.qcow2",
    "..",
    ".",
    "vda",
    "current",
)
_METHODS: Final = ("GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
_QUERIES: Final = (
    "",
    "",
    "name=zebra",
    "title=.*zebra",
    "description=for",
    "users=somebody",
    "_inuse=true",
    "state=.*",
    "kind=vm&name=zebra",
    "limit=1000",
    "ticket=x",
    "since=1h",
    "follow=false",
    "uuid=.*",
    "target_uri=.*zebra.*",
    "_=1",
    "%00",
    "name[]=zebra",
)
_HEADERS: Final = (
    {}, {}, {}, {"If-Match": '"x.y"'}, {"If-Match": "*"}, {"If-None-Match": "*"}, {"Range": "bytes=0-9"}, {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-User": "root"}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Original-URL": "/vms/zebra"}, {"Cookie": "__Host-onggi=x"}, {"Accept": "text/html"},
    {"X-Requested-With": "XMLHttpRequest"}, {"Content-Encoding": "gzip"}, {"Sec-Fetch-Site": "same-origin"},
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    "zebra", "hers", "uma", "/vms/zebra", "/templates/small", "/storagepools/default-pool", "default-pool", "zebra-root.qcow2", "disk", "cdrom",
    "/default-pool/zebra-root.qcow2", "/etc/passwd", "http://127.0.0.1/a.iso", "", None, True, 0, 1, -1, 64, 1024, 2.5, [], ["uma"], ["people"], {},
    {"passwd": "x"}, {"current": 512, "maxmemory": 1024}, "network", "52:54:00:00:0a:14", "x" * 300,
)  # fmt: skip
# What would reach beyond the test's own agent, were it let through.
_NEVER: Final = re.compile(r"/host/|/debugreports|/hooks/|/login|/logout")


class Requests:
    """Made up from what the API says of itself, one after the other from one seed."""

    def __init__(self, seed: int, own: frozenset[str]) -> None:
        self._own = sorted(own)
        self._draw = random.Random(seed)
        described = openapi(resource_classes(), "0")
        self._paths = [path for path in described["paths"] if not _NEVER.search(path)]
        self._of_machines = [path for path in self._paths if path.startswith("/vms/{name}")]
        self._keys = sorted(set(_keys_of(described)))

    def next(self) -> tuple[str, str, bytes, dict[str, str]]:
        """A method, an address, a body and headers."""
        draw, method = self._draw, self._draw.choice(_METHODS)
        path = re.sub(
            r"{\w+}",
            lambda _: self._written(self._name()),
            draw.choice(self._paths if draw.random() < 0.5 else self._of_machines),
        )
        if draw.random() < 0.15:
            path = draw.choice((f"/plugins/kimchi{path}", f"{path}/", f"/{path}", f"{path}/..", path.replace("/", "/./", 1),
                                path.upper(), f"{path};a=b", f"{path}%00", f"/vms/hers/..{path}", path.replace("/vms/", "/vms/hers/%2e%2e/")))  # fmt: skip
        if query := draw.choice(_QUERIES):
            path = f"{path}?{query}"
        body = b"" if method in ("GET", "HEAD", "TRACE", "OPTIONS") else self._body()
        return method, path, body, {"Content-Type": "application/json", **draw.choice(_HEADERS)}

    def _name(self) -> str:
        if self._own and self._draw.random() < 0.4:
            return self._draw.choice(self._own)
        return self._draw.choice(_NAMES) if self._draw.random() < 0.9 else text(self._draw)

    def _written(self, name: str) -> str:
        """As it is, or with each byte written so that nobody sees it: what guards and what answers read the same."""
        raw = name.encode("utf-8", "replace")
        return "".join(f"%{byte:02x}" for byte in raw) if self._draw.random() < 0.2 else quote(raw, safe="")

    def _body(self) -> bytes:
        draw = self._draw
        if draw.random() < 0.1:
            return draw.choice((b"", b"{", b"[]", b"null", b"\xff", b'{"a":1,"a":2}', b"[" * 2000))
        made = {draw.choice(self._keys): draw.choice(_VALUES) for _ in range(draw.randint(0, 3))}
        return json.dumps(made).encode()


def _keys_of(described: Any) -> Iterator[str]:
    """Every key of a body."""
    if isinstance(described, dict):
        for name, each in described.items():
            if name == "properties" and isinstance(each, dict):
                yield from each
            yield from _keys_of(each)
    elif isinstance(described, list):
        for each in described:
            yield from _keys_of(each)


def asked(api: LiveApi, who: str, seed: int, count: int, statuses: Counter[int]) -> Iterator[str]:
    """What somebody saw or did that isn't theirs, in so many requests; a sentence for each. Answers are counted."""
    user, own = PEOPLE[who]
    requests, host, port = Requests(seed, own), urlsplit(api.url).hostname or "", urlsplit(api.url).port
    proof = base64.b64encode(f"{user}:{BY_NAME.get(user, '')}".encode()).decode()
    auth = {"Authorization": f"Basic {proof}"} if user else {}
    before = state(api)
    connection = http.client.HTTPConnection(host, port, timeout=120)
    for _ in range(count):
        method, path, body, headers = requests.next()
        try:
            connection.request(method, path, body, {**headers, **auth})
            answer = connection.getresponse()
            content = answer.read().decode("utf-8", "replace")
        except (http.client.HTTPException, OSError):  # it was ended unread
            connection.close()
            continue
        statuses[answer.status] += 1
        told = f"{method} {path} {body[:200]!r} {headers}: {answer.status} {content[:200]}"
        if answer.status == 500:
            yield told
        said = unquote(path) + body.decode("utf-8", "replace")
        seen = f"{answer.headers} {content}"
        if who in ("nobody", "other", "owner"):
            yield from (f"{told} tells {mark}" for mark in _MARKS if mark in seen and mark not in said)
            if "zebra" in seen and answer.status < 400 and "zebra" not in said:
                yield f"{told} names zebra"
        if method == "DELETE" and answer.status == 204:
            _made_again(api, own)
    connection.close()
    yield from differences(before, state(api), who, own)


def _made_again(api: LiveApi, own: frozenset[str]) -> None:
    """What somebody has removed that is theirs is there again, so that there is something to ask about."""
    for name in own & MINE.keys():
        if api.client.get(f"/vms/{name}").status_code == 404:
            api.repository.commit({f"{name}.yaml": document(name, MINE[name])}, f"Make {name} again")
            until(lambda: api.client.get(f"/vms/{name}").status_code == 200, 60, "it is there")  # noqa: B023


def state(api: LiveApi) -> dict[str, Any]:
    """All that there is: what documents say, and what the host has."""
    found: dict[str, Any] = {}
    for path in git(api.repository.path, "ls-tree", "-r", "--name-only", "HEAD").splitlines():
        found[f"document {path}"] = api.text(path)
    with closing(libvirt.open(SHARED)) as connection:
        for domain in connection.listAllDomains():
            definition = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            found[f"machine {domain.name()}"] = definition, domain.isActive(), sorted(domain.snapshotListNames())
        for pool in connection.listAllStoragePools():
            volumes = sorted(volume.name() for volume in pool.listAllVolumes()) if pool.isActive() else None
            found[f"pool {pool.name()}"] = pool.XMLDesc(), pool.autostart(), volumes
        for network in connection.listAllNetworks():
            found[f"network {network.name()}"] = network.XMLDesc(), network.isActive(), network.autostart()
    return found


def differences(before: dict[str, Any], after: dict[str, Any], who: str, own: frozenset[str]) -> Iterator[str]:
    """What is otherwise that isn't theirs to change; of what is, whose it is and what it has has to stay."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        name = key.partition(" ")[2].removesuffix(".yaml")
        if name not in own:
            yield f"{who} has changed {key}: {old} is {new}"
        elif key.startswith("document") and (lost := _kept(old) - _kept(new)):
            yield f"{who} has changed {key}: {lost} is gone from {new}"


def _kept(document: str | None) -> set[str]:
    """The lines that an owner can't change: whose it is, its disks, its network."""
    joined = re.sub(r"\s+", " ", document or "")
    return set(re.findall(r"access: (?:\{[^}]*\})|mac: \S+|size: \S+|pool: [^ ,}]+", joined))


def main() -> int:
    """0 when nothing was found."""
    parser = argparse.ArgumentParser("python -m tests.fuzz.people")
    parser.add_argument("--as", dest="who", choices=PEOPLE, action="append")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given, found = parser.parse_args(), 0
    logging.getLogger("onggi").addHandler(logging.NullHandler())
    for who in given.who or PEOPLE:
        with tempfile.TemporaryDirectory() as folder, peopled(Path(folder)) as api:
            statuses: Counter[int] = Counter()
            for mistake in asked(api, who, given.seed, given.requests, statuses):
                found += 1
                print(mistake, flush=True)
        print(f"{who}: {given.requests} requests, {dict(statuses.most_common())}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
