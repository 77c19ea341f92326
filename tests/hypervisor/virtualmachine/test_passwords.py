"""A secret goes to libvirt at the last moment, stays there, and comes out nowhere else."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from reconciler.errors import Terminal
from reconciler.hypervisor import Hypervisor
from reconciler.hypervisor.secret_reading import read_secret
from reconciler.planning.operations import Define, EditLive, SecretSlot, SecretSource, Start
from specs.reach import Reach
from tests.hypervisor.conftest import Made, machine
from tests.lab.libvirtd import HostObjects

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


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A secret of the host's, which no document may have."""
    file = tmp_path / "shadow"
    file.write_text("root:$6$hash:19000:0:::::\n")
    return file


def places(folder: Path, elsewhere: Path) -> dict[str, SecretSource]:
    """What a hostile document names: by its name in the allowed folder, or anywhere else."""
    (folder / "empty").touch()
    (folder / "big").write_bytes(b"x" * 100_000)
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    os.mknod(folder / "device", 0o600 | stat.S_IFCHR, os.makedev(10, 130))  # a watchdog: opening it arms it
    (folder / "link").symlink_to(elsewhere)
    (folder / "way").symlink_to(elsewhere.parent)
    for name, mode, owner in (("theirs", 0o600, 65534), ("open", 0o666, 0)):
        (folder / name).write_text("theirs\n")
        (folder / name).chmod(mode)
        os.chown(folder / name, owner, owner)
    (folder / "shared").mkdir()
    (folder / "shared/secret").write_text("theirs\n")
    (folder / "shared").chmod(0o777)
    (folder / "agents").write_text("t0ken\n")
    os.link(folder / "agents", folder / "alias")
    names = [path.name for path in folder.iterdir()]
    more = ["missing", "way/shadow", "shared/secret", "../shadow", "folder/../../shadow", "empty/x"]
    found = {name: SecretSource(file=f"{folder}/{name}") for name in (*names, *more)}
    for path in (
        elsewhere,
        "/etc/shadow",
        "/etc/hostname",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "/nowhere",
    ):
        found[str(path)] = SecretSource(file=str(path))
    for name in ("PATH", "HOME", "ONGGI_SECRET_", "ONGGI_SECRET_UNSET", "FORGE_TOKEN"):
        found[name] = SecretSource(env=name)
    return found


def test_whatever_a_document_names_beside_a_secret_is_not_opened_and_all_are_answered_alike(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("FORGE_TOKEN", "t0ken")
    reach = Reach((str(folder),), ("ONGGI_SECRET_*",), agents_secrets=frozenset({str(folder / "agents")}))
    opened: list[object] = []
    open_file = os.open

    def watched(path: object, flags: int, *words: object, **named: object) -> int:
        if not flags & os.O_PATH:
            opened.append(path)
        return open_file(path, flags, *words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", watched)
    answers = set()
    for name, source in places(folder, elsewhere).items():
        opened.clear()
        with pytest.raises(Terminal) as caught:
            read_secret(source, reach)
        where = f"the file {source.file}" if source.file else f"the variable {source.env}"
        assert where in str(caught.value), name
        answers.add(str(caught.value).replace(where, "it"))
        assert not opened or name in ("empty", "binary"), f"{name} was opened"
    assert len(answers) == 1, "nobody learns what is there"


def test_a_secret_in_its_place_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets/of/web").mkdir(parents=True)
    file = tmp_path / "secrets/of/web/console"
    file.write_text("s3cret\nsecond line\n")
    (tmp_path / "alias").symlink_to(tmp_path / "secrets")
    monkeypatch.setenv("ONGGI_SECRET_WEB", "fr0mEnv")
    for folder in (tmp_path / "secrets", tmp_path / "alias"):  # the settings' own link is the administrator's
        reach = Reach((str(folder),), ("ONGGI_SECRET_*",))
        assert read_secret(SecretSource(file=f"{folder}//of/web/console"), reach) == "s3cret"
        assert read_secret(SecretSource(env="ONGGI_SECRET_WEB"), reach) == "fr0mEnv"


def test_a_long_password_is_cut_to_what_vnc_takes_and_to_whole_characters(
    qemu_host: Hypervisor, qemu_connection: libvirt.virConnect, host_objects: HostObjects, tmp_path: Path
) -> None:
    web = machine(host_objects.name("web"), devices=VNC)
    file = tmp_path / "long"
    for text, used in (("0123456789", "01234567"), ("abcdefgß", "abcdefg")):
        file.write_text(text)
        qemu_host.perform(with_password(web, SecretSource(file=str(file))))
        assert password(qemu_connection, web) == used
