"""A repository of packages in Kimchi's words, and what may be said of one in a request."""

from __future__ import annotations

from typing import Final

from api.http.schema import Schema, arr, boolean, obj, text
from reconciler.errors import Refused
from reconciler.host.repositories.repository import Repository
from specs.plain import NewJson

# What a refusal is about → Kimchi's code.
CODES: Final = {
    "BadRepositoryId": "KCHREPOS0001E",
    "BadUrl": "KCHREPOS0002E",
    "BadConfig": "KCHREPOS0003E",
    "BadDist": "KCHREPOS0004E",
    "BadComponents": "KCHREPOS0005E",
    "BadName": "KCHREPOS0008E",
    "NoAddress": "KCHREPOS0013E",
    "AlreadyEnabled": "KCHREPOS0015E",
    "AlreadyDisabled": "KCHREPOS0016E",
    "DistMissing": "KCHREPOS0019E",
    "RepositoryExists": "KCHREPOS0022E",
    "UnsupportedConfig": "KCHREPOS0028E",
    "MirrorlistAndMetalink": "KCHREPOS0030E",
}

_DEB: Final[dict[str, Schema]] = {
    "dist": text("The distribution (deb).", x_code="KCHREPOS0004E"),
    "comps": arr(text(x_code="KCHREPOS0006E"), description="Its components (deb).", x_code="KCHREPOS0005E"),
}
_YUM: Final[dict[str, Schema]] = {
    "repo_name": text("A name for people (yum).", x_code="KCHREPOS0008E"),
    "mirrorlist": text("Where a list of addresses is (yum).", x_code="KCHREPOS0007E"),
    "metalink": text("Where a metalink is (yum).", x_code="KCHREPOS0029E"),
}
_SIGNED: Final[dict[str, Schema]] = {
    "gpgcheck": boolean("Whether signatures are checked (yum).", x_code="KCHREPOS0009E"),
    "gpgkey": text("Where the key is (yum).", x_code="KCHREPOS0010E"),
}
_BASEURL: Final = text("Its address: http, https, ftp or file.", x_code="KCHREPOS0002E")

CREATE: Final = obj(
    {
        "baseurl": _BASEURL,
        "repo_id": text("One word; made up from the address when it is missing.", x_code="KCHREPOS0001E"),
        "config": obj({**_DEB, **_YUM, **_SIGNED}, x_code="KCHREPOS0003E"),
    },
    x_code="KCHAPI0001E",
)
CHANGE: Final = obj(
    {
        "repo_id": text("Another id, where its file has a place for one.", x_code="KCHREPOS0001E"),
        "baseurl": _BASEURL,
        "config": obj({**_DEB, **_YUM, **_SIGNED}, x_code="KCHREPOS0003E"),
    },
    x_code="KCHAPI0001E",
)

_FIELDS: Final[dict[str, Schema]] = {
    "repo_id": text("Identifies the repository in this API."),
    "baseurl": text("Its address; empty when a mirrorlist or a metalink tells it."),
    "enabled": boolean("Whether packages come from it."),
    "config": obj({**_DEB, **_YUM, **_SIGNED}),
}
REPOSITORY: Final[Schema] = obj(_FIELDS, required=tuple(_FIELDS), title="Repository")


def repository_view(repository: Repository) -> NewJson:
    """One repository."""
    return {
        "repo_id": repository.repo_id,
        "baseurl": repository.baseurl,
        "enabled": repository.enabled,
        "config": dict(repository.config),
    }


def code_of(refused: Refused) -> str:
    """Kimchi's code for a refusal."""
    return CODES.get(refused.reason, "KCHREPOS0003E")
