"""The NoCloud seed: cloud-init's data as an ISO image, named by its content so that a change is another volume.

The bytes depend on nothing but the arguments: no clock, no time zone. What a document's own fields say stands beside
the author's texts, where cloud-init itself puts both together: keys and the host's name in the meta-data, the default
user's name in vendor-data, over which user-data wins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pycdlib
import yaml
from pycdlib.dates import DirectoryRecordDate, VolumeDescriptorDate

from specs.virtualmachine.guest.cloud_yaml import read_mapping
from specs.yaml_stream import YamlMistakeError

if TYPE_CHECKING:
    from specs.virtualmachine.spec import CloudInit

_VOLUME_ID = "cidata"  # by which cloud-init finds the medium
_DATE = bytes((100, 1, 1, 0, 0, 0, 0))  # 2000-01-01 00:00 UTC, as a directory record writes it
_DIGEST_LENGTH = 12

# ISO 9660's layout: volume descriptors from sector 16 on, each with the date of modification at the same place.
_SECTOR = 2048
_DESCRIPTORS = 16 * _SECTOR
_LAST_DESCRIPTOR = 255
_MODIFIED = 830
_UNSPECIFIED = b"0" * 16 + b"\0"


def seed_volume_name(vm_name: str, cloud_init: CloudInit, uid: str) -> str:
    """The name of the seed's volume: the same data for the same machine has the same name."""
    return f"onggi-seed-{vm_name}-{_digest(vm_name, cloud_init, uid)}.iso"


def seed_image(cloud_init: CloudInit, name: str, uid: str) -> bytes:
    """The ISO image for the machine `name`: user-data and meta-data, and network-config and vendor-data when there is
    something to say in them.
    """
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=_VOLUME_ID)
    for file, text in _files(cloud_init, name, uid):
        content = text.encode()
        plain = file.replace("-", "").upper()[:8]
        iso.add_fp(BytesIO(content), len(content), f"/{plain}.;1", rr_name=file, joliet_path=f"/{file}")
    _fix_dates(iso)
    image = BytesIO()
    iso.write_fp(image)
    iso.close()
    return _without_writing_date(image.getvalue())


def _files(cloud_init: CloudInit, name: str, uid: str) -> Iterator[tuple[str, str]]:
    yield "user-data", cloud_init.get("userData", "#cloud-config\n")
    yield "meta-data", _meta_data(cloud_init, name, uid)
    if "networkConfig" in cloud_init:
        yield "network-config", cloud_init["networkConfig"]
    if "user" in cloud_init:
        yield "vendor-data", "#cloud-config\n" + yaml.safe_dump({"user": {"name": cloud_init["user"]}})


def _meta_data(cloud_init: CloudInit, name: str, uid: str) -> str:
    """What the author wrote, and what the document says beside it or cloud-init can't do without."""
    fixed = cloud_init.get("instanceIdPolicy") == "Never"
    needed: dict[str, Any] = {
        "instance-id": uid if fixed else f"iid-{_digest(name, cloud_init, uid)}",
        "local-hostname": cloud_init.get("hostname", name),
    }
    if cloud_init.get("sshKeys"):
        needed["public-keys"] = list(cloud_init["sshKeys"])
    written = cloud_init.get("metaData", "")
    try:
        known = read_mapping(written)
    except YamlMistakeError:
        return str(written)  # no document that says so gets here; whatever does can't be mended here either
    return str(yaml.safe_dump(needed | known, sort_keys=False, allow_unicode=True))


def _digest(name: str, cloud_init: CloudInit, uid: str) -> str:
    inputs = [
        name,
        uid,
        *(cloud_init.get(key) for key in ("userData", "metaData", "networkConfig", "instanceIdPolicy")),
        # Only where they are written: a machine that says none of them keeps the seed that it has.
        *([key, cloud_init[key]] for key in ("user", "sshKeys", "hostname") if key in cloud_init),
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:_DIGEST_LENGTH]


def _fix_dates(iso: pycdlib.PyCdlib) -> None:
    """Replace the present moment, which the library notes for every file, by a fixed one."""
    date = DirectoryRecordDate()
    date.parse(_DATE)
    for descriptor in filter(None, (iso.pvd, iso.joliet_vd)):
        unspecified = VolumeDescriptorDate()
        unspecified.new(0.0)
        descriptor.volume_creation_date = descriptor.volume_effective_date = unspecified
        root = descriptor.root_directory_record()
        for record in (root, *root.children):
            record.date = date
            ridge = record.rock_ridge
            for entries in () if ridge is None else filter(None, (ridge.dr_entries, ridge.ce_entries)):
                if (stamps := entries.tf_record) is not None:
                    stamps.access_time = stamps.modification_time = stamps.attribute_change_time = date


def _without_writing_date(image: bytes) -> bytes:
    """The image without the moment of its writing, which the library puts into each volume descriptor at the end."""
    fixed = bytearray(image)
    place = _DESCRIPTORS
    while fixed[place] != _LAST_DESCRIPTOR:
        fixed[place + _MODIFIED : place + _MODIFIED + len(_UNSPECIFIED)] = _UNSPECIFIED
        place += _SECTOR
    return bytes(fixed)
