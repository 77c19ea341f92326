"""What an image holds is what libosinfo's own tool says of it; without a database, or with a broken one, nothing
breaks.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.observed.osinfo import Database
from reconciler.observed.osinfo.database import standard_folders
from reconciler.observed.osinfo.iso_header import IsoHeader, read_header

ONE = "<distro>one</distro><version>1</version>"
MEDIUM = "<media arch='x86_64'><iso><volume-id>ONE.*</volume-id></iso></media>"


def labelled(volume: str, *, system: str = "", publisher: str = "", size: int = 40960) -> IsoHeader:
    return IsoHeader(volume, system, publisher, "", volume_size=size, file_size=size, boots=True)


def systems_by_libosinfo(path: Path) -> list[tuple[str, str]]:
    # All of them: where definitions overlap (Windows 10 and 11), libosinfo takes the first it comes to.
    done = subprocess.run(["osinfo-detect", "--all", str(path)], capture_output=True, text=True, timeout=60)
    return re.findall(r"for OS '(.*) \((.*)\)'", done.stdout)


@pytest.mark.parametrize(
    ("volume", "options", "distro", "version", "arch"),
    [
        ("Debian 11.6.0 amd64 n", (), "debian", "11", "x86_64"),
        ("Debian 11.6.0 arm64 n", (), "debian", "11", "aarch64"),
        ("Debian 10.2.0 i386 n", (), "debian", "10", "i686"),
        ("Fedora-WS-Live-37-1-7", ("-sysid", "LINUX"), "fedora", "37", "x86_64"),
        ("Fedora-S-dvd-x86_64-37", ("-sysid", "LINUX"), "fedora", "37", "x86_64"),
        ("Ubuntu 22.04.1 LTS amd64", (), "ubuntu", "22.04", "x86_64"),
        ("Ubuntu-Server 20.04.5 LTS amd64", (), "ubuntu", "20.04", "x86_64"),
        ("CCCOMA_X64FRE_EN-US_DV9", ("-publisher", "MICROSOFT CORPORATION"), "win", "10.0", "x86_64"),
        ("RHEL-8-6-0-BaseOS-x86_64", ("-sysid", "LINUX"), "rhel", "8.6", "x86_64"),
    ],
)
def test_an_image_is_recognised_as_libosinfo_does(
    volume: str,
    options: tuple[str, ...],
    distro: str,
    version: str,
    arch: str,
    make_iso: Callable[..., Path],
    database: Database,
) -> None:
    path = make_iso(volume, *options)
    header = read_header(path)
    assert header is not None
    found = database.detect(header)
    assert found is not None
    assert (found.os_distro, found.os_version, found.arch) == (distro, version, arch)
    assert (found.name, found.arch) in systems_by_libosinfo(path)


@pytest.mark.parametrize("volume", ["Debian 99.0.0 amd64 n", "holiday pictures", "", "\ufffd" * 32])
def test_an_image_that_nobody_knows_is_unknown(volume: str, database: Database) -> None:
    assert database.detect(labelled(volume)) is None


def test_a_live_image_is_told_from_an_installer(database: Database) -> None:
    live = database.detect(labelled("Fedora-WS-Live-37-1-7", system="LINUX"))
    installer = database.detect(labelled("Debian 11.6.0 amd64 n"))
    assert live is not None
    assert installer is not None
    assert (live.live, installer.live, installer.installer) == (True, False, True)


def test_of_several_media_the_one_that_says_the_most_counts(write_definition: Callable[..., Path]) -> None:
    media = (
        "<media arch='i686'><iso><volume-id>ONE</volume-id></iso></media>"
        "<media arch='x86_64'><iso><volume-id>ONE</volume-id><volume-size>4096</volume-size></iso></media>"
        "<media arch='s390x'><iso><volume-id>ONE-LONGER</volume-id></iso></media>"
        "<media arch='ppc64le'><url>http://example.org/any.iso</url></media>"
    )
    database = Database((write_definition(ONE + media),))

    def arch(header: IsoHeader) -> str | None:
        found = database.detect(header)
        return found.arch if found else None

    assert arch(labelled("ONE")) == "i686"
    assert arch(labelled("ONE", size=4096)) == "x86_64"
    assert arch(labelled("ONE-LONGER")) == "s390x"
    assert arch(labelled("TWO")) is None


def test_a_host_without_a_database_knows_nothing_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database((tmp_path / "none", tmp_path / "neither"))
    with caplog.at_level(logging.DEBUG):
        assert database.detect(labelled("Debian 11.6.0 amd64 n")) is None
        assert database.detect(labelled("ONE")) is None
        assert database.systems() == {}
    assert len(caplog.records) == 1
    assert "install osinfo-db" in caplog.text


def test_a_database_that_is_installed_later_is_read(tmp_path: Path, write_definition: Callable[..., Path]) -> None:
    database = Database((tmp_path / "osinfo",))
    before = database.revision
    assert database.detect(labelled("ONE")) is None
    write_definition(ONE + MEDIUM)
    assert database.detect(labelled("ONE")) is not None
    assert database.revision != before


def test_an_update_is_noticed_by_its_version(write_definition: Callable[..., Path]) -> None:
    folder = write_definition(ONE + MEDIUM)
    version = folder / "VERSION"
    version.write_text("1")
    database = Database((folder,))
    database.load()
    write_definition("<distro>one</distro><version>2</version>" + MEDIUM)
    version.write_text("2")
    os.utime(version, (2_000_000_000, 2_000_000_000))
    found = database.detect(labelled("ONE"))
    assert found is not None
    assert found.os_version == "2"


def test_a_broken_definition_hides_no_other(
    write_definition: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    bad = "<media><iso><volume-id>(ONE</volume-id></iso></media>"
    folder = write_definition(ONE + bad + MEDIUM)
    write_definition("", file="example.org/broken.xml", whole="<libosinfo><os id='x'>")
    write_definition("", file="example.org/empty.xml", whole=" ")
    assert Database((folder,)).detect(labelled("ONE")) is not None
    assert "broken.xml isn't well-formed" in caplog.text


def test_a_definition_reads_no_other_file(write_definition: Callable[..., Path], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    whole = f"""<!DOCTYPE x [<!ENTITY s SYSTEM "file://{secret}">]>
      <libosinfo><os id="x"><name>&s;</name><distro>&s;</distro></os></libosinfo>"""
    systems = Database((write_definition("", whole=whole),)).systems()
    assert "secret" not in str(systems)


def test_this_hosts_files_extend_the_systems_and_stand_in_for_them(write_definition: Callable[..., Path]) -> None:
    system = write_definition(ONE + MEDIUM)
    write_definition("<version>stale</version>", file="example.org/two.xml")
    local = write_definition(
        "<media arch='aarch64'><iso><volume-id>OWN</volume-id></iso></media>",
        folder="local",
        file="example.org/one.d/own.xml",
    )
    write_definition("", folder="local", file="example.org/two.xml")
    found = Database((system, local)).detect(labelled("OWN"))
    assert found is not None
    assert (found.os_distro, found.os_version, found.arch) == ("one", "1", "aarch64")


def test_the_folders_are_those_of_libosinfo() -> None:
    assert standard_folders({}) == (Path("/usr/share/osinfo"), Path("/usr/local/share/osinfo"), Path("/etc/osinfo"))
    named = {"OSINFO_SYSTEM_DIR": "/s", "OSINFO_LOCAL_DIR": "/l", "OSINFO_USER_DIR": "/u", "HOME": "/root"}
    assert standard_folders(named) == (Path("/s"), Path("/l"), Path("/u"))
    assert standard_folders({"HOME": "/root"})[-1] == Path("/root/.config/osinfo")
