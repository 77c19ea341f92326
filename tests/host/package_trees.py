"""Scratch roots with a package tool's own files: a repository on disk, with packages that say what the tests need.

Nothing of the machine's own packages is read or changed.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AptTree:
    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "apt.conf"

    @property
    def repository(self) -> Path:
        return self.root / "srv"

    def publish(self, name: str, version: str, *, postinst: str = "", file: str = "", depends: str = "") -> Path:
        """Build a package and put it into the repository."""
        tree = self.root / "build" / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        depends = f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
            f"{depends}Description: for tests\n"
        )
        (tree / "usr/share" / name).mkdir(parents=True)
        (tree / "usr/share" / name / "version").write_text(file or version)
        if postinst:
            (tree / "DEBIAN/postinst").write_text(postinst)
            (tree / "DEBIAN/postinst").chmod(0o755)
        made = self.repository / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, made], check=True, capture_output=True)
        done = subprocess.run(
            ["dpkg-scanpackages", "-m", "."], cwd=self.repository, check=True, capture_output=True, text=True
        )
        (self.repository / "Packages").write_text(done.stdout)
        return made

    def install(self, package: Path) -> None:
        subprocess.run(["dpkg", f"--root={self.root}", "-i", package], check=True, capture_output=True)

    def installed(self, name: str) -> str:
        """The version that dpkg and the files agree on; empty when it isn't installed."""
        done = subprocess.run(
            ["dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f", "${db:Status-Status} ${Version}", name],
            capture_output=True,
            text=True,
            check=False,
        )
        status, _, version = done.stdout.partition(" ")
        file = self.root / "usr/share" / name / "version"
        return version if status == "installed" and file.read_text() == version else ""


def apt_tree(root: Path) -> AptTree:
    for folder in (
        "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers",
        "var/log/apt", "srv",
    ):  # fmt: skip
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{root}/srv ./\n")
    (root / "srv/Packages").touch()
    (root / "apt.conf").write_text(
        f'Dir "{root}";\n'
        f'Dir::State::status "{root}/var/lib/dpkg/status";\n'
        f'Dir::Etc::main "{root}/none";\n'
        f'Dir::Etc::Parts "{root}/etc/apt/apt.conf.d";\n'
        'APT::Sandbox::User "root";\n'
        f'DPkg::Options:: "--root={root}";\n'
    )
    return AptTree(root)
