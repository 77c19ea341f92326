"""Which folders belong to the system or to somebody's keys: no setting makes one of them a pool's, or a medium's place.

Whoever may write into a pool or delete from it may do so to every file in its folder, as root.
"""

from __future__ import annotations

from typing import Final

from specs import canonical

# These themselves; what is below them may be anybody's.
_FOLDERS: Final = frozenset(
    ["/", "/home", "/var", "/var/cache", "/var/lib", "/var/lib/libvirt", "/usr", "/usr/local", "/usr/share", "/opt"]
)
# With all that is below them.
_TREES: Final = (
    *("/bin", "/boot", "/dev", "/efi", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run"),
    *("/sbin", "/sys", "/usr/bin", "/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"),
    *("/usr/local/bin", "/usr/local/etc", "/usr/local/lib", "/usr/local/libexec", "/usr/local/sbin"),
    *("/usr/local/share", "/usr/sbin", "/usr/share/polkit-1", "/usr/src", "/var/backups", "/var/lib/AccountsService"),
    *("/var/lib/apt", "/var/lib/containerd", "/var/lib/dbus", "/var/lib/docker", "/var/lib/dpkg", "/var/lib/kubelet"),
    *("/var/lib/pam", "/var/lib/polkit-1", "/var/lib/private", "/var/lib/rpm", "/var/lib/sss", "/var/lib/sudo"),
    *("/var/lib/systemd", "/var/lock", "/var/log", "/var/mail", "/var/run", "/var/spool"),
    *(f"/var/lib/libvirt/{own}" for own in ("ch", "dnsmasq", "libxl", "lockd", "lxc", "network", "nwfilter", "qemu")),
    *(f"/var/lib/libvirt/{own}" for own in ("sanlock", "secrets", "storage", "swtpm", "xen")),
)
# Of somebody's home: by what lies in them people, and programs, are let in.
_KEYS: Final = frozenset(
    [".aws", ".azure", ".config", ".docker", ".git", ".gnupg", ".kube", ".minikube", ".password-store", ".pki", ".ssh"]
)


_REMOVABLE: Final = ("/dev/", "/run/media/")  # a drive of the host, and where desktops mount what is put into one


def no_medium(path: str) -> bool:
    """True for a file that is never to be a machine's medium, by its text: the guest would read it."""
    path = canonical.path(path)
    return is_of_the_system(path) and not path.startswith(_REMOVABLE)


def is_of_the_system(folder: str) -> bool:
    """True for a folder that is never to be a pool's, by its text."""
    folder = canonical.path(folder)
    if folder in _FOLDERS or is_in_a_tree(folder):
        return True
    return not _KEYS.isdisjoint(folder.split("/"))


def is_in_a_tree(folder: str) -> bool:
    """True for a folder of which the system has all, by its text."""
    folder = canonical.path(folder)
    return any(folder == tree or folder.startswith(f"{tree}/") for tree in _TREES)
