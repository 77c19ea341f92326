"""The NoCloud seed: cloud-init's data as an ISO image, named by its content so that a change is another volume.

The bytes depend on nothing but the arguments: no clock, no time zone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pycdlib
import yaml
from pycdlib.dates import DirectoryRecordDate, VolumeDescriptorDate

CloudInit = Mapping[str, Any]

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
    """The ISO image for the machine `name`: user-data and meta-data, and network-config when it is declared."""
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


def _meta_data(cloud_init: CloudInit, name: str, uid: str) -> str:
    """What the author wrote, and what cloud-init can't do without where that says nothing of it."""
    fixed = cloud_init.get("instanceIdPolicy") == "Never"
    needed = {"instance-id": uid if fixed else f"iid-{_digest(name, cloud_init, uid)}", "local-hostname": name}
    written = cloud_init.get("metaData", "")
    try:
        known = yaml.safe_load(written) or {}
    except yaml.YAMLError:
        return str(written)  # as it stands: cloud-init is the one to say what it can't read
    if not isinstance(known, dict):
        return str(written)
    return str(yaml.safe_dump(needed | known, sort_keys=False, allow_unicode=True))


def _digest(name: str, cloud_init: CloudInit, uid: str) -> str:
    inputs = [
        name,
        uid,
        *(cloud_init.get(key) for key in ("userData", "metaData", "networkConfig", "instanceIdPolicy")),
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
