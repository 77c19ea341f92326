"""What users install: built as an sdist and from that as a wheel, without a network, into an environment of its own.

Beside it lie packages of somebody else's that are called as onggi's own are in a work tree.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Onggi
from tests.host.test_plugins import EXAMPLE, install
from tests.lab.other_user import a_public_folder, give
from tests.lab.ports import free_port
from tests.lab.repositories import Repository
from tests.lab.waiting import until

ROOT = Path(__file__).parents[2]
INSIDE = ("api", "reconciler", "specs")  # the packages whose names are as good as anybody's


class Environment:
    """A virtual environment with onggi as it is installed, whose dependencies are those of the tests."""

    def __init__(self, folder: Path) -> None:
        made = venv.EnvBuilder(with_pip=False, symlinks=True)
        made.create(folder / "env")
        self.python = folder / "env/bin/python"
        self.command = folder / "env/bin/onggi"
        (self.site,) = (folder / "env/lib").glob("python3*/site-packages")
        # As a line of a .pth file it is only looked into: what is installed there for editing isn't followed.
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        for name in INSIDE:
            (self.site / name).mkdir()
            (self.site / name / "__init__.py").write_text("raise SystemExit('this is the package of somebody else')\n")
        run = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", folder]
        subprocess.run(run, cwd=ROOT, check=True, capture_output=True)
        (sdist,) = folder.glob("*.tar.gz")
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "install"),
                *("--no-index", "--no-deps", "--no-build-isolation", "--no-compile", "--ignore-installed", sdist),
            ],
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    with a_public_folder() as folder:
        yield Environment(folder)


@pytest.fixture
def installed(environment: Environment, onggi: Onggi) -> Onggi:
    """The command `onggi`, as it was installed."""
    onggi.command = [str(environment.command)]
    return onggi


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_what_browsers_load_is_installed_with_it(environment: Environment) -> None:
    built = environment.site / "onggi/_code/api/assets/built"
    for files in json.loads((built / "manifest.json").read_text()).values():
        assert all((built / name).is_file() for name in files.values())
    assert (built / "licences/README").is_file()


def test_one_name_is_taken_and_everybody_elses_stay(environment: Environment) -> None:
    took = {path.name for path in environment.site.iterdir() if not path.name.endswith(".dist-info")}
    assert took == {"onggi", "dependencies.pth", *INSIDE}
    assert {path.name for path in (environment.site / "onggi/_code").iterdir()} == set(INSIDE)
    for name in INSIDE:
        assert list(files(environment.site / name)) == ["__init__.py"]


@pytest.mark.parametrize("name", [*INSIDE, "onggi"])
def test_all_that_a_package_has_comes_along(environment: Environment, name: str) -> None:
    there = files(environment.site / "onggi" / (f"_code/{name}" if name in INSIDE else ""))
    assert {path: data for path, data in there.items() if not path.startswith("_code/")} == files(ROOT / name)


def test_the_verbs_work(installed: Onggi, tmp_path: Path) -> None:
    assert installed("version").out.startswith("onggi ")
    assert "memory" in installed("explain", "vm").out
    assert installed("schema", "network").json["title"] == "Network"
    assert installed("init", tmp_path / "infra").code == 0
    for folder in (tmp_path / "infra", *sorted((ROOT / "examples").glob("0*"))):
        done = installed("validate", folder)
        assert (done.code, done.out) == (0, ""), done.err
    asked = installed(_ONGGI_COMPLETE="bash_complete", COMP_WORDS="onggi va", COMP_CWORD="1")
    assert asked.out.split() == ["plain,validate"]
    for shell in ("bash", "zsh", "fish"):
        assert "_ONGGI_COMPLETE" in installed("completion", shell).out


def test_it_is_a_module_too(environment: Environment, onggi: Onggi) -> None:
    onggi.command = [str(environment.python), "-m", "onggi"]
    assert onggi("version").out.startswith("onggi ")


def test_a_child_reads_what_is_another_users(installed: Onggi, environment: Environment, tmp_path: Path) -> None:
    with a_public_folder() as folder:
        repository = Repository(folder / "theirs")
        repository.commit({"lan.yaml": "kind: Network\n"})
        give(repository.path)
        done = installed("validate", repository.path)
    assert (done.code, "apiVersion" in done.out) == (1, True), done.err


def test_the_agent_serves_its_pictures_its_documentation_and_plugins(
    installed: Onggi, environment: Environment, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "infra")
    repository.commit({"contact.yaml": next(EXAMPLE.glob("*/contact/example.yaml")).read_text()})
    install(EXAMPLE, environment.site)
    address = f"127.0.0.1:{free_port()}"
    words = (repository.path, "--connect", "test:///default", "--listen", address)
    process = installed.start("run", *words)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=60) as client:
            until(lambda: client.get("/readyz").status_code == 200, 120, "the agent is ready")
            shop = {"name": "shop", "email": "ops@example.org"}
            assert client.get("/plugins/example/greeting").json() == {"greeting": "hello", "ready": True}
            assert client.get("/plugins/example/contacts").json() == [shop]
            assert client.get("/plugins/example/contacts/shop").json() == shop
            assert client.get("/plugins/example/contacts/cafe").status_code == 404
            for address in ("/images/icon-debian.png", "/docs", "/docs/style.css", "/openapi.json"):
                assert client.get(address).status_code == 200, address
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
