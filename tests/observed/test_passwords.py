"""A secret goes to libvirt at the last moment, stays there, and comes out nowhere else."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.errors import Terminal
from reconciler.observed.hypervisor import Hypervisor
from reconciler.observed.hypervisor.performing.passwords import read_secret
from reconciler.planning.operations import Define, EditLive, SecretSlot, SecretSource, Start
from tests.lab.libvirtd import HostObjects
from tests.observed.conftest import Made, machine

VNC = "<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"
SLOT = "devices/graphics[@type='vnc']"
SECURE = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE


@pytest.fixture
def secret_file(tmp_path: Path) -> SecretSource:
    file = tmp_path / "vnc"
    file.write_text("s3cr3t\nsecond line\n")
    return SecretSource(file=str(file))


def password(connection: libvirt.virConnect, made: Made, flags: int = SECURE) -> str | None:
    xml = etree.fromstring(connection.lookupByName(made.ref.name).XMLDesc(flags))
    return xml.find("devices/graphics").get("passwd")


def with_password(made: Made, source: SecretSource) -> Define:
    return Define(made.ref, made.uid, made.xml, (SecretSlot(SLOT, "passwd", source),))


def test_a_password_from_a_file_reaches_libvirt_and_survives_later_definitions(
    qemu_host: Hypervisor,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    secret_file: SecretSource,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    web = machine(host_objects.name("web"), devices=VNC)
    qemu_host.perform(with_password(web, secret_file))
    assert password(qemu_connection, web) == "s3cr3t"

    qemu_host.perform(web.define)  # without a word about the password
    assert password(qemu_connection, web) == "s3cr3t"

    seen = qemu_host.observe(None, None).objects[web.ref]
    assert "s3cr3t" not in seen.xml
    qemu_host.perform(Define(web.ref, web.uid, seen.xml))  # as planning patches it, with libvirt's mask in it
    assert password(qemu_connection, web) == "s3cr3t"

    qemu_host.perform(Start(web.ref, paused=True))
    live = etree.fromstring(qemu_connection.lookupByName(web.ref.name).XMLDesc()).find("devices/graphics")
    update = etree.tostring(live, encoding="unicode")
    qemu_host.perform(EditLive(web.ref, "update", update))
    assert password(qemu_connection, web, libvirt.VIR_DOMAIN_XML_SECURE) == "s3cr3t"
    assert "s3cr3t" not in caplog.text


def test_a_changed_password_reaches_a_running_machine(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, secret_file: SecretSource
) -> None:
    web = machine(host_objects.name("web"), devices=VNC.replace("/>", " passwd='earlier'/>"))
    qemu_host.perform(web.define)
    qemu_host.perform(Start(web.ref, paused=True))
    live = etree.fromstring(qemu_connection.lookupByName(web.ref.name).XMLDesc()).find("devices/graphics")
    slot = SecretSlot(".", "passwd", secret_file)
    qemu_host.perform(EditLive(web.ref, "update", etree.tostring(live, encoding="unicode"), (slot,)))
    assert password(qemu_connection, web, libvirt.VIR_DOMAIN_XML_SECURE) == "s3cr3t"


def test_a_password_from_a_variable(
    qemu_host: Hypervisor,
    qemu_connection: libvirt.virConnect,
    host_objects: HostObjects,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONGGI_TEST_VNC", "fr0mEnv")
    web = machine(host_objects.name("web"), devices=VNC)
    qemu_host.perform(with_password(web, SecretSource(env="ONGGI_TEST_VNC")))
    assert password(qemu_connection, web) == "fr0mEnv"


def test_the_mask_never_becomes_a_password(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects
) -> None:
    web = machine(host_objects.name("web"), devices=VNC.replace("/>", " passwd='*****'/>"))
    qemu_host.perform(web.define)
    assert password(qemu_connection, web) is None


def test_no_error_holds_the_secret(
    qemu_host: Hypervisor, host_objects: HostObjects, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "long").write_text("much-too-long-a-secret")
    web = machine(host_objects.name("web"), devices=VNC)
    with pytest.raises(Terminal) as caught:
        # In this place libvirt refuses it, and its own message repeats it.
        slot = SecretSlot(SLOT, "type", SecretSource(file=str(tmp_path / "long")))
        qemu_host.perform(Define(web.ref, web.uid, web.xml, (slot,)))
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "much-too-long" not in str(chain)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    assert "much-too-long" not in caplog.text
    assert not host_objects.left()


def test_a_slot_without_a_place_is_told(
    qemu_host: Hypervisor, host_objects: HostObjects, secret_file: SecretSource
) -> None:
    web = machine(host_objects.name("web"))
    with pytest.raises(Terminal, match="to put the secret"):
        qemu_host.perform(with_password(web, secret_file))
    assert not host_objects.left()


def test_only_small_regular_files_hold_secrets(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty", "big", "binary", "folder", "pipe", "missing"):
        with pytest.raises(Terminal) as caught:
            read_secret(SecretSource(file=str(tmp_path / name)))
        assert name in str(caught.value)
    with pytest.raises(Terminal, match="ONGGI_TEST_UNSET"):
        read_secret(SecretSource(env="ONGGI_TEST_UNSET"))


def test_a_long_password_is_cut_to_what_vnc_takes_and_to_whole_characters(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, tmp_path: Path
) -> None:
    web = machine(host_objects.name("web"), devices=VNC)
    file = tmp_path / "long"
    for text, used in (("0123456789", "01234567"), ("abcdefgß", "abcdefg")):
        file.write_text(text)
        qemu_host.perform(with_password(web, SecretSource(file=str(file))))
        assert password(qemu_connection, web) == used
