"""Pools as XML: what a new one looks like, what is left alone, and what a change costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest

from specs.binding import parse
from specs.effect import Effect
from specs.host import Host
from specs.storagepool import KIND
from specs.storagepool.secret import auth_secret_xml
from specs.storagepool.xml import target_path
from tests.lab.libvirtd import HostObjects
from tests.specs.rendering import assert_at_rest, drift, golden, lowered, new_xml, patch

HOST = Host()
ISCSI = {"host": "san.example.org", "target": "iqn.2024-01.org.example:disks"}
AUTH = {"username": "onggi", "passwordFrom": {"env": "SAN_PASSWORD"}}


def concrete(spec: dict[str, Any], name: str = "store") -> dict[str, Any]:
    return lowered(KIND, spec, name=name, host=HOST)


@pytest.mark.parametrize(
    ("name", "spec", "xml"), [pytest.param(*pair, id=pair[0]) for pair in golden(Path(__file__).parent / "golden")]
)
def test_a_new_pool_looks_like_this(name: str, spec: dict[str, Any], xml: str) -> None:
    assert new_xml(KIND, concrete(spec, name), name=name, host=HOST) == xml


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"type": "dir", "path": "/srv//images/"}, "/srv/images"),
        ({"type": "netfs", "source": {"host": "nas", "path": "/export"}}, "/var/lib/libvirt/onggi/store"),
        ({"type": "logical"}, "/dev/store"),
        ({"type": "logical", "path": "/dev/vg0"}, "/dev/vg0"),
        ({"type": "iscsi", "source": ISCSI}, "/dev/disk/by-path"),
        ({"type": "iscsi-direct", "source": ISCSI | {"initiator": "iqn.2024-01.org.example:me"}}, None),
    ],
)
def test_where_the_volumes_appear(spec: dict[str, Any], path: str | None) -> None:
    assert target_path(concrete(spec), "store") == path


def cifs(path: str) -> str:
    source = f"<source><host name='nas'/><dir path='{path}'/><format type='cifs'/></source>"
    return f"<pool type='netfs'><name>store</name>{source}<target><path>/mnt/vms</path></target></pool>"


# libvirt makes `//host/path` of it: a path with a slash of its own became //nas//vms
@pytest.mark.parametrize("source", [{"path": "/vms"}, {"path": "/vms", "format": "cifs"}, {"path": "//vms/"}])
def test_the_share_of_a_cifs_pool_is_named_without_a_slash_of_its_own(source: dict[str, str]) -> None:
    spec = concrete({"type": "netfs", "source": {"host": "nas", **source}})
    assert_at_rest(KIND, spec, cifs("vms"))
    assert [(change.pointer, change.new) for change in drift(KIND, spec, cifs("/vms"))] == [("/source/path", "/vms")]
    mended = parse(patch(KIND, spec, cifs("/vms")))
    assert mended.find("source/dir").get("path") == "vms"


def test_a_pool_that_becomes_one_of_cifs_has_its_share_named_so() -> None:
    before = cifs("/vms").replace("cifs", "nfs")
    spec = concrete({"type": "netfs", "source": {"host": "nas", "path": "/vms", "format": "cifs"}})
    assert parse(patch(KIND, spec, before)).find("source/dir").get("path") == "vms"
    back = concrete({"type": "netfs", "source": {"host": "nas", "path": "/vms", "format": "nfs"}})
    assert parse(patch(KIND, back, cifs("vms"))).find("source/dir").get("path") == "/vms"


def test_what_libvirt_adds_is_no_drift() -> None:
    observed = """
    <pool type='netfs'>
      <name>store</name>
      <uuid>2bc2f919-4e63-4f58-949a-33c9354ba9e4</uuid>
      <capacity unit='bytes'>107374182400</capacity>
      <allocation unit='bytes'>1024</allocation>
      <available unit='bytes'>107374181376</available>
      <source>
        <host name='nas.example.org'/>
        <dir path='/export/vms'/>
        <format type='auto'/>
        <protocol ver='4.2'/>
      </source>
      <target>
        <path>/mnt/vms</path>
        <permissions>
          <mode>0711</mode>
          <owner>0</owner>
          <group>0</group>
        </permissions>
      </target>
    </pool>
    """
    source = {"host": "nas.example.org", "path": "/export//vms/"}
    assert_at_rest(KIND, concrete({"type": "netfs", "source": source}), observed)
    moved = concrete({"type": "netfs", "source": source | {"host": "nas2.example.org"}})
    changed = patch(KIND, moved, observed)
    assert "nas2.example.org" in changed
    assert "4.2" in changed
    assert "0711" in changed


def test_another_source_waits_for_a_restart_and_another_type_is_refused() -> None:
    observed = new_xml(KIND, concrete({"type": "dir", "path": "/srv/a"}), name="store", host=HOST)
    changes = drift(KIND, concrete({"type": "kimchi-iso", "path": "/srv/b"}), observed)
    assert [(change.pointer, change.effect) for change in changes] == [("/path", Effect.NEXT_BOOT)]
    changes = drift(KIND, concrete({"type": "netfs", "source": {"host": "nas", "path": "/export"}}), observed)
    assert {(change.pointer, change.effect) for change in changes} == {
        ("/type", Effect.FORBIDDEN),
        ("/source/host", Effect.NEXT_BOOT),
        ("/source/path", Effect.NEXT_BOOT),
    }


def test_an_adapter_has_two_spellings_and_a_port_a_default() -> None:
    spec = {"type": "scsi", "source": {"adapter": {"type": "scsi_host", "name": "scsi_host2"}}}
    assert_at_rest(KIND, concrete(spec), "<pool type='scsi'><source><adapter name='host2'/></source></pool>")
    spec = {"type": "iscsi", "source": ISCSI | {"port": 3260}}
    without_port = new_xml(KIND, concrete({"type": "iscsi", "source": ISCSI}), name="store", host=HOST)
    assert_at_rest(KIND, concrete(spec), without_port)


def test_devices_have_no_order() -> None:
    observed = new_xml(
        KIND, concrete({"type": "logical", "source": {"devices": ["/dev/b", "/dev/a"]}}), name="store", host=HOST
    )
    assert_at_rest(KIND, concrete({"type": "logical", "source": {"devices": ["/dev/a", "/dev/b"]}}), observed)
    fewer = concrete({"type": "logical", "source": {"devices": ["/dev/a", "/dev/c"]}})
    paths = [each.get("path") for each in parse(patch(KIND, fewer, observed)).iter("device")]
    assert paths == ["/dev/a", "/dev/c"]


def test_the_pool_names_a_secret_and_never_holds_it() -> None:
    spec = {"type": "iscsi", "source": ISCSI | {"auth": AUTH}}
    xml = new_xml(KIND, concrete(spec), name="store", host=HOST)
    assert parse(xml).find("source/auth/secret").attrib == {"usage": "onggi-store"}
    assert "SAN_PASSWORD" not in xml + str(concrete(spec))
    by_hand = xml.replace('usage="onggi-store"', 'uuid="2bc2f919-4e63-4f58-949a-33c9354ba9e4"')
    assert parse(patch(KIND, concrete(spec), by_hand)).find("source/auth/secret").attrib == {"usage": "onggi-store"}


def test_libvirt_takes_the_secret_again_and_again(
    qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    name = host_objects.name("tc-san")
    secret = qemu_connection.secretDefineXML(auth_secret_xml(name, AUTH))
    try:
        again = qemu_connection.secretDefineXML(auth_secret_xml(name, AUTH | {"username": "other"}))
        assert again.UUIDString() == secret.UUIDString()
        found = qemu_connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, f"onggi-{name}")
        assert "other" in found.XMLDesc()
    finally:
        secret.undefine()


@pytest.mark.parametrize(
    ("kind", "devices", "effect"),
    [
        ("logical", ["/dev/a", "/dev/b"], Effect.LIVE),
        ("logical", ["/dev/b"], Effect.FORBIDDEN),
        ("disk", ["/dev/b"], Effect.NEXT_BOOT),
    ],
)
def test_a_volume_group_grows_at_once_and_never_shrinks(kind: str, devices: list[str], effect: Effect) -> None:
    observed = new_xml(KIND, concrete({"type": kind, "source": {"devices": ["/dev/a"]}}), name="store", host=HOST)
    changes = drift(KIND, concrete({"type": kind, "source": {"devices": devices}}), observed)
    assert [(change.pointer, change.effect) for change in changes] == [("/source/devices", effect)]


@pytest.mark.parametrize(("format_", "stays"), [("nfs", True), ("cifs", False), ("glusterfs", False)])
def test_the_version_of_a_protocol_goes_with_the_protocol(format_: str, stays: bool) -> None:
    before = """<pool type='netfs'><name>share</name><source><host name='nas'/><dir path='/x'/><format type='auto'/>
      <protocol ver='4'/></source><target><path>/mnt/x</path></target></pool>"""
    source = {"host": "nas", "path": "/x", "format": format_}
    after = parse(patch(KIND, lowered(KIND, {"type": "netfs", "source": source}, name="share", host=HOST), before))
    assert (after.find("source/protocol") is not None) is stays
