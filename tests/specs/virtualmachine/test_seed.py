"""The cloud-init seed: an image that others read, named by what is in it."""

from __future__ import annotations

import re
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pycdlib
import pytest
import yaml

from specs.virtualmachine.guest.seed import seed_image, seed_volume_name

UID = "0c3c8b9e-1111-4222-8333-444455556666"
CLOUD_INIT = {"userData": "#cloud-config\nhostname: wéb\n", "networkConfig": "version: 2\n"}


def files(image: bytes) -> dict[str, str]:
    """The files of an ISO image, by their Joliet names."""
    iso = pycdlib.PyCdlib()
    iso.open_fp(BytesIO(image))
    found = {}
    for child in iso.list_children(joliet_path="/"):
        if child.is_file():
            name, content = child.file_identifier().decode("utf-16-be"), BytesIO()
            iso.get_file_from_iso_fp(content, joliet_path=f"/{name}")
            found[name] = content.getvalue().decode()
    iso.close()
    return found


def meta_data(cloud_init: dict[str, Any], uid: str = UID) -> Any:
    return yaml.safe_load(files(seed_image(cloud_init, "web", uid))["meta-data"])


def test_the_image_holds_the_three_files() -> None:
    found = files(seed_image(CLOUD_INIT, "web", UID))
    assert found["user-data"] == CLOUD_INIT["userData"] and found["network-config"] == CLOUD_INIT["networkConfig"]
    assert sorted(found) == ["meta-data", "network-config", "user-data"]
    assert sorted(files(seed_image({}, "web", UID))) == ["meta-data", "user-data"]


def test_another_program_reads_it_the_same_way(tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(seed_image(CLOUD_INIT, "web", UID))
    for reading in ("-R", "-J"):
        listing = subprocess.run(["isoinfo", "-f", reading, "-i", image], capture_output=True, text=True, check=True)
        assert sorted(listing.stdout.split()) == ["/meta-data", "/network-config", "/user-data"]
    about = subprocess.run(["isoinfo", "-d", "-i", image], capture_output=True, text=True, check=True).stdout
    assert "Volume id: cidata" in about
    shown = subprocess.run(["isoinfo", "-R", "-x", "/user-data", "-i", image], capture_output=True, check=True)
    assert shown.stdout.decode() == CLOUD_INIT["userData"]


def test_equal_data_makes_equal_bytes_whenever_and_wherever(monkeypatch: pytest.MonkeyPatch) -> None:
    first = seed_image(CLOUD_INIT, "web", UID)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert seed_image(CLOUD_INIT, "web", UID) == first


def test_the_name_changes_with_the_data_and_only_with_it() -> None:
    name = seed_volume_name("web", CLOUD_INIT, UID)
    assert re.fullmatch(r"onggi-seed-web-[0-9a-f]{12}\.iso", name)
    assert name == seed_volume_name("web", dict(CLOUD_INIT) | {"pool": "other"}, UID)
    others = [CLOUD_INIT | {key: "x"} for key in ("userData", "metaData", "networkConfig")]
    others.append(CLOUD_INIT | {"instanceIdPolicy": "Never"})
    names = {name, *(seed_volume_name("web", other, UID) for other in others), seed_volume_name("web", CLOUD_INIT, "u")}
    assert len(names) == 6


def test_a_change_makes_a_new_instance_unless_that_is_unwanted() -> None:
    changed = CLOUD_INIT | {"userData": "#cloud-config\n"}
    assert meta_data(CLOUD_INIT)["instance-id"] != meta_data(changed)["instance-id"]
    assert meta_data(CLOUD_INIT | {"instanceIdPolicy": "Never"})["instance-id"] == UID
    assert meta_data(changed | {"instanceIdPolicy": "Never"})["instance-id"] == UID


def test_the_authors_meta_data_wins_and_what_it_omits_is_added() -> None:
    found = meta_data({"metaData": "local-hostname: other\npublic-keys: [a]\n"})
    assert found["local-hostname"] == "other" and found["public-keys"] == ["a"] and found["instance-id"]
    assert meta_data({"metaData": '{"instance-id": "mine"}'}) == {"instance-id": "mine", "local-hostname": "web"}


def test_what_the_fields_say_stands_where_cloud_init_puts_it_together_with_the_texts() -> None:
    script = {
        "userData": "#!/bin/sh\n",
        "user": "ops",
        "sshKeys": ["ssh-ed25519 A", "ssh-rsa B"],
        "hostname": "a.example",
    }
    found = files(seed_image(script, "web", UID))
    assert found["user-data"] == "#!/bin/sh\n", "untouched, of whatever kind it is"
    assert found["vendor-data"].startswith("#cloud-config\n")
    assert yaml.safe_load(found["vendor-data"]) == {"user": {"name": "ops"}}
    meta = yaml.safe_load(found["meta-data"])
    assert (meta["public-keys"], meta["local-hostname"]) == (script["sshKeys"], "a.example")


def test_a_machine_that_says_none_of_them_keeps_the_seed_that_it_has() -> None:
    assert seed_volume_name("web", CLOUD_INIT, UID) == "onggi-seed-web-f5f1af94836d.iso"
    fields = ({"user": "ops"}, {"sshKeys": ["a"]}, {"hostname": "ops"})
    names = {seed_volume_name("web", CLOUD_INIT | field, UID) for field in fields}
    assert len(names | {seed_volume_name("web", CLOUD_INIT, UID)}) == 4


def test_meta_data_that_is_no_mapping_goes_in_as_it_stands() -> None:
    for text in ("just text", "a: [", "- 1\n"):
        assert files(seed_image({"metaData": text}, "web", UID))["meta-data"] == text
