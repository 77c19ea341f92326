"""A password that a client hands over is told to who asks for that machine, and is found nowhere else."""

from __future__ import annotations

import base64
import logging
import re
from pathlib import Path

import libvirt
import pytest

from api.http.discovery import resource_classes
from api.http.openapi import openapi
from tests.api.conftest import api, hand
from tests.api.live import LiveApi
from tests.hostile.test_secrets import git_objects

__all__ = ["api", "hand"]

CONSOLE, POOL, REFUSED = "Zq7cons!", "Zq7pool!secret", "Zq7ref\x01sed"
SECRETS = (CONSOLE, POOL, REFUSED)
SHOWS_CONSOLES = re.compile(r"/vms(/|$)")  # as the specification has it


def test_no_answer_holds_a_password_that_is_not_asked_for(
    api: LiveApi, hand: libvirt.virConnect, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = api.client
    hand.defineXML(
        "<domain type='test'><name>byhand</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>"
        "<devices><graphics type='vnc'/></devices></domain>"
    )
    api.serving.operations.look_again(None)
    source = {"host": "nas.example.org", "target": "iqn.2024-01.org.example:disks"}
    told = [
        client.put("/vms/byhand", json={"graphics": {"passwd": CONSOLE, "passwdValidTo": 3600}}),
        client.put("/vms/byhand", json={"graphics": {"passwd": REFUSED}}),
        client.put("/vms/byhand", json={"graphics": {"passwd": [POOL]}}),
        client.put("/vms/byhand", json={"graphics": {"other": 1, "passwd": CONSOLE * 99}}),
        client.put("/vms/byhand", content=f'{{"graphics": {{"passwd": "{CONSOLE}"', headers={"Content-Type": "text/x"}),
    ]
    for auth in ({"username": "ada", "password": POOL}, {"username": "a\nb", "password": POOL}, {"password": POOL}):
        body = {"name": "luns", "type": "iscsi", "source": {**source, "auth": auth}}
        told.append(client.post("/storagepools", json=body))
    assert told[0].status_code in (200, 501), told[0].text
    answers = {f"answer {number}": answer.text for number, answer in enumerate(told[1:])}

    paths = openapi(resource_classes(), "0")["paths"]
    known = {"name": "byhand", "pool": "default-pool", "kind": "vm", "host": "nas.example.org", "number": "1"}
    for path in [path for path, item in paths.items() if "get" in item]:
        address = re.sub(r"{(\w+)}", lambda found: known.get(found[1], "byhand"), path)
        if not SHOWS_CONSOLES.match(address):
            answers[address] = client.get(address).text
    answers["plan of the pool"] = client.get("/drift/pool/luns").text
    answers["the log"] = caplog.text
    answers["git"] = git_objects(api.repository.path).decode("utf-8", "replace")
    folder = tmp_path / "state"
    for file in folder.rglob("*"):
        if file.is_file() and file.parent.name != "secrets":
            answers[str(file)] = file.read_bytes().decode("latin-1")
        elif file.is_file():
            assert file.stat().st_mode & 0o777 == 0o600
    assert folder.joinpath("secrets").stat().st_mode & 0o777 == 0o700
    for place, text in answers.items():
        for secret in SECRETS:
            for form in (secret, repr(secret)[1:-1], base64.b64encode(secret.encode()).decode()):
                assert form not in text, f"{secret!r} is in {place}"
