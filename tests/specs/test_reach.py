"""What of a host a document may name, by the text."""

from __future__ import annotations

import pytest

from specs.reach import Reach, console_owner, console_owners, is_below, pool_owner
from specs.system_folders import is_of_the_system, no_medium

UID, OTHER = "0e4ad8c5-7b9c-5d14-9f3c-1d6f0f9d2a11", "0e4ad8c5-7b9c-5d14-9f3c-1d6f0f9d2a12"
STATE = "/var/lib/onggi/secrets"
REACH = Reach(
    secret_folders=("/etc/onggi/secrets/", "/run/credentials/onggi.service"),
    secret_variables=("ONGGI_SECRET_*", "VNC"),
    kept_secrets=STATE,
    agents_secrets=frozenset({"/etc/onggi/secrets/forge"}),
    pool_folders=("/srv", "/var/lib/libvirt/images/"),
)


def kept(owner: str, suffix: str = "-0a1b2c3d") -> dict[str, str]:
    return {"file": f"{STATE}/{owner}{suffix}"}


@pytest.mark.parametrize(
    "source",
    [
        {"file": "/etc/onggi/secrets/console"},
        {"file": "/etc//onggi/./secrets/web/console"},
        {"file": "/run/credentials/onggi.service/console"},
        {"env": "ONGGI_SECRET_WEB"},
        {"env": "VNC"},
        kept(console_owner(UID)),
    ],
)
def test_a_secret_in_an_allowed_place_may_be_named(source: dict[str, str]) -> None:
    assert REACH.has_secret(source, console_owners(UID))


@pytest.mark.parametrize(
    "source",
    [
        {"file": "/etc/shadow"},
        {"file": "/dev/watchdog"},
        {"file": "/etc/onggi/secrets"},
        {"file": "/etc/onggi/secrets/../onggi.toml"},
        {"file": "/etc/onggi/secrets-of-others/x"},
        {"file": "/etc/onggi/secrets/forge"},
        {"file": "/etc/onggi//secrets/./forge"},
        {"env": "PATH"},
        {"env": "ONGGI_SECRET_"},
        {"env": "VNC2"},
        {"env": "XONGGI_SECRET_WEB"},
        {"file": f"{STATE}/anything"},
        kept(console_owner(OTHER)),
        kept(pool_owner("web")),
        kept(console_owner(UID), "-0a1b2c3d/x"),
        kept(console_owner(UID), "-0a1b2c3"),
        kept(f"../secrets/{console_owner(UID)}"),
        kept(f"{console_owner(UID)}-1"),
    ],
)
def test_any_other_place_may_not(source: dict[str, str]) -> None:
    assert not REACH.has_secret(source, console_owners(UID))


def test_whoever_allows_the_state_folder_opens_no_secret_of_another() -> None:
    wide = Reach(secret_folders=("/var/lib/onggi", "/"), kept_secrets=STATE)
    assert wide.has_secret({"file": "/var/lib/onggi/mine"}, console_owners(UID))
    assert not wide.has_secret(kept(console_owner(OTHER)), console_owners(UID))


def test_a_pool_may_be_made_on_or_below_an_allowed_folder() -> None:
    for path in ("/srv", "/srv/", "/srv/vms", "/var/lib/libvirt/images"):
        assert REACH.has_pool_folder(path), path
    for path in ("/", "/srv2", "/srv/../root", "/home/ada", "/var/lib/libvirt"):
        assert not REACH.has_pool_folder(path), path


def test_nothing_is_below_a_folder_that_a_step_upwards_leaves() -> None:
    assert is_below("/a/b/c", "/a/b") and not is_below("/a/b", "/a/b") and not is_below("/a/b/../c", "/a")


@pytest.mark.parametrize(
    "folder",
    [
        *("/", "//", "/etc", "/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d", "/root", "/root/.kube", "/proc/1"),
        *(
            "/home/ada/.ssh",
            "/home/ada/.kube/cache",
            "/srv/repo/.git/hooks",
            "/var/lib/libvirt/secrets",
            "/run/libvirt",
        ),
        *(
            "/var/lib/libvirt",
            "/var/lib/libvirt/qemu/nvram",
            "/var/lib/libvirt/dnsmasq",
            "/var/spool/cron",
            "/boot/efi",
        ),
        *(
            "/var/lib/systemd",
            "/var/lib/docker/volumes",
            "/usr/lib/systemd/system",
            "/var/run/x",
            "/dev/shm",
            "/sys/fs",
        ),
    ],
)
def test_these_are_never_anybodys(folder: str) -> None:
    assert is_of_the_system(folder)


@pytest.mark.parametrize(
    "folder",
    [
        *(
            "/srv",
            "/mnt",
            "/media/disk",
            "/var/lib/libvirt/images",
            "/var/lib/libvirt/guests",
            "/home/ada/vms",
            "/data",
        ),
        *("/home/ada/.local/share/libvirt/images", "/var/lib/vms", "/opt/vms", "/etcetera", "/roots", "/tmp/x"),
    ],
)
def test_these_may_be(folder: str) -> None:
    assert not is_of_the_system(folder)


def test_no_medium_lies_in_the_system_and_drives_are_no_part_of_that() -> None:
    for path in ("/etc/shadow", "/proc/kcore", "/root/.ssh/id_ed25519", "/var/lib/libvirt/secrets/x", "/run/secret"):
        assert no_medium(path), path
    for path in ("/dev/sr0", "/run/media/ada/DISK/a.iso", "/srv/a.iso", "/var/lib/libvirt/images/a.iso", "/tmp/a.iso"):
        assert not no_medium(path), path
