"""What a document names on its host is found wherever it says it, and has to be allowed."""

from __future__ import annotations

import pytest

from specs.declared import items, mapping, text
from specs.host_paths import host_paths, refused
from specs.notations import HOST_PATH

_LOG = mapping("A log.", {"file": HOST_PATH.but("Its file."), "name": text("Its name.")})
SPEC = mapping(
    "A thing.",
    {
        "path": HOST_PATH.but("Its place."),
        "log": _LOG,
        "serials": items("Lines.", mapping("One.", {"path": HOST_PATH.but("Its place."), "log": _LOG})),
        "files": items("Files.", HOST_PATH.but("One.")),
        "title": text("A title."),
    },
)


def test_every_path_is_found_with_its_place() -> None:
    said = {
        "path": "/srv/a",
        "title": "/srv/no path",
        "log": {"file": "/srv/b", "name": "b"},
        "serials": [{"path": "/srv/c"}, {"log": {"file": "/srv/d"}}],
        "files": ["/srv/e"],
    }
    assert dict(host_paths(SPEC, said)) == {
        "/path": "/srv/a",
        "/log/file": "/srv/b",
        "/serials/0/path": "/srv/c",
        "/serials/1/log/file": "/srv/d",
        "/files/0": "/srv/e",
    }


@pytest.mark.parametrize(
    "said", [{}, {"serials": None}, {"serials": "no list"}, {"log": []}, {"serials": [1]}, {"path": 3}]
)
def test_what_has_another_shape_has_no_paths(said: dict[str, object]) -> None:
    assert list(host_paths(SPEC, said)) == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/srv/a", ("/srv",)),
        ("/srv//a/", ("/srv/",)),
        ("/dev/tpm0", ("/dev/tpm0",)),
        ("/dev/dri/renderD128", ("/dev/dri",)),
        ("/run/vhost/a.sock", ("/run/vhost",)),
    ],
)
def test_a_path_in_an_allowed_folder_may_be_named(path: str, allowed: tuple[str, ...]) -> None:
    assert refused(path, allowed) == ""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/srv/a", ()),
        ("/srv", ("/srv/a",)),
        ("/srvs/a", ("/srv",)),
        ("/etc/shadow", ("/",)),
        ("/home/ops/.ssh/id", ("/home",)),
        ("/var/lib/dpkg/status", ("/var/lib",)),
    ],
)
def test_any_other_path_is_refused_with_a_remedy(path: str, allowed: tuple[str, ...]) -> None:
    assert "choose" in refused(path, allowed)
    assert path in refused(path, allowed)
