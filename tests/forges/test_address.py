"""Which forge the settings mean, and what is refused before a token is sent anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.forges.address import forge_address
from reconciler.settings.settings import Settings

TOKEN = Path("/etc/onggi/token")


def settings(repository: str, **more: object) -> Settings:
    return Settings(repository=repository, **({"forge_token_file": TOKEN} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("repository", "more", "kind", "api", "name"),
    [
        ("https://github.com/lab/hosts.git", {}, "github", "https://api.github.com", "lab/hosts"),
        ("git@github.com:lab/hosts.git", {}, "github", "https://api.github.com", "lab/hosts"),
        ("ssh://git@github.com/lab/hosts", {}, "github", "https://api.github.com", "lab/hosts"),
        ("https://gitlab.com/a/b/c.git", {}, "gitlab", "https://gitlab.com/api/v4", "a/b/c"),
        ("https://codeberg.org/lab/hosts", {}, "forgejo", "https://codeberg.org/api/v1", "lab/hosts"),
        ("git@gitlab.lab.example:a/b.git", {}, "gitlab", "https://gitlab.lab.example/api/v4", "a/b"),
        ("https://gitea.lab.example/a/b", {}, "gitea", "https://gitea.lab.example/api/v1", "a/b"),
        ("https://git.lab.example/a/b", {"forge": "github"}, "github", "https://git.lab.example/api/v3", "a/b"),
        ("ssh://git@git.lab.example:2222/a/b", {"forge": "gitea"}, "gitea", "https://git.lab.example/api/v1", "a/b"),
        (
            "/srv/mirror.git",
            {"forge": "forgejo", "forge_url": "https://git.lab.example/", "forge_repository": "a/b"},
            "forgejo", "https://git.lab.example/api/v1", "a/b",
        ),
        (
            "https://github.com/lab/hosts",
            {"forge_url": "http://[::1]:3000/base/api/v3"},
            "github", "http://[::1]:3000/base/api/v3", "lab/hosts",
        ),
    ],
    ids=["https", "scp", "ssh", "subgroup", "codeberg", "by-name", "gitea-by-name", "enterprise", "port", "local",
         "loopback"],
)  # fmt: skip
def test_what_is_obvious_from_the_repository_needs_no_setting(
    repository: str, more: dict[str, object], kind: str, api: str, name: str
) -> None:
    found = forge_address(settings(repository, **more))
    assert found is not None
    assert (found.kind, found.api, found.repository, found.token_file) == (kind, api, name, TOKEN)


def test_without_a_token_nothing_is_told() -> None:
    assert forge_address(Settings(repository="https://github.com/lab/hosts")) is None


@pytest.mark.parametrize(
    ("repository", "more", "message"),
    [
        ("https://github.com/a/b", {"forge_token_file": None, "forge": "github"}, "--forge-token-file"),
        ("https://git.lab.example/a/b", {}, "--forge:"),
        ("/srv/r", {"forge": "gitea", "forge_repository": "a/b"}, "--forge-url"),
        ("/srv/r", {"forge": "gitea", "forge_url": "https://x"}, "--forge-repository"),
        ("https://github.com/a/b", {"forge_repository": "a"}, "owner/name"),
        ("https://github.com/a/b", {"forge_repository": "a/../b"}, "owner/name"),
        ("https://github.com/a/b", {"forge_repository": "a/b?x=1"}, "owner/name"),
        ("https://github.com/a/b", {"forge_url": "http://git.lab.example"}, "use https"),
        ("https://github.com/a/b", {"forge_url": "http://127.0.0.1.lab.example"}, "use https"),
        ("https://github.com/a/b", {"forge_url": "https://user:secret@x/api"}, "keep the token"),
        ("https://github.com/a/b", {"forge_url": "https://x/api?token=secret"}, "keep the token"),
        ("https://github.com/a/b", {"forge_url": "file:///etc"}, "isn't the address"),
        ("https://github.com/a/b", {"forge_url": "https://x:port/"}, "isn't a URL"),
    ],
    ids=[
        "no-token", "unknown-host", "no-url", "no-name", "half-a-name", "dots", "query-in-name", "http",
        "looks-like-loopback",        "user", "query", "scheme", "port",
    ],
)  # fmt: skip
def test_what_is_missing_or_unsafe_is_refused(repository: str, more: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        forge_address(settings(repository, **more))
    assert "secret" not in str(error.value)
