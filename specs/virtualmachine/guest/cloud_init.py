"""What a machine's `cloudInit` may say: its own fields, and how they go together with the texts beside them.

The fields reach the guest beside the texts, never inside them (see `seed`), so userData may be of any kind. Where a
text says the same as a field, cloud-init would pass one of the two over in silence; here that is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from yaml.nodes import Node, ScalarNode, SequenceNode

from specs.virtualmachine.guest.cloud_yaml import read_mapping, sentence, top_level
from specs.virtualmachine.guest.ssh_keys import key_problem
from specs.yaml_stream import YamlMistakeError

if TYPE_CHECKING:
    from specs.virtualmachine.spec import CloudInit

Broken = tuple[str, str]  # JSON pointer into the spec, sentence

_CLOUD_CONFIG = "#cloud-config"
_META_DATA = {"sshKeys": ("public-keys",), "hostname": ("local-hostname", "hostname")}
_USER_DATA = {"user": ("user",), "hostname": ("hostname", "fqdn")}


def check_cloud_init(cloud_init: CloudInit) -> Iterator[Broken]:
    """The rules of a spec's `cloudInit`. Relies on the shape that the schema asks for."""
    for index, key in enumerate(cloud_init.get("sshKeys", ())):
        if (problem := key_problem(key)) is not None:
            yield f"/cloudInit/sshKeys/{index}", problem
    for field, text, check in (
        ("metaData", cloud_init.get("metaData"), _check_meta_data),
        ("userData", cloud_init.get("userData"), _check_user_data),
        ("networkConfig", cloud_init.get("networkConfig"), _check_rest),
    ):
        try:
            yield from () if text is None else check(cloud_init, text)
        except YamlMistakeError as mistake:
            yield f"/cloudInit/{field}", sentence(mistake)


def _check_meta_data(cloud_init: CloudInit, text: str) -> Iterator[Broken]:
    yield from _said_twice(cloud_init, "metaData", read_mapping(text), _META_DATA)


def _check_user_data(cloud_init: CloudInit, text: str) -> Iterator[Broken]:
    if is_cloud_config(text):
        found = top_level(text)
        yield from _said_twice(cloud_init, "userData", found, _USER_DATA)
        yield from _nobody(cloud_init, found.get("users"))


def _check_rest(_cloud_init: CloudInit, text: str) -> Iterator[Broken]:
    top_level(text)
    yield from ()


def is_cloud_config(user_data: str) -> bool:
    """True for user-data that cloud-init reads as YAML; other kinds begin with other words."""
    return user_data.lstrip("\ufeff").startswith(_CLOUD_CONFIG)


def _said_twice(
    cloud_init: CloudInit, text: str, found: Mapping[str, Any], same: Mapping[str, tuple[str, ...]]
) -> Iterator[Broken]:
    for field, keys in same.items():
        for key in keys if field in cloud_init else ():
            if key in found:
                told = f"`{text}` says `{key}` too, and one of them would be passed over; remove one."
                yield f"/cloudInit/{field}", told


def _nobody(cloud_init: CloudInit, users: Node | None) -> Iterator[Broken]:
    """userData that lists users of its own does away with the default one, to whom these fields belong."""
    if isinstance(users, SequenceNode):
        names = [item.value for item in users.value if isinstance(item, ScalarNode)]
    elif isinstance(users, ScalarNode):
        names = [name.strip() for name in users.value.split(",")]
    else:
        return
    if "default" in names:
        return
    for field in ("user", "sshKeys"):
        if field in cloud_init:
            yield (
                f"/cloudInit/{field}",
                "`userData` lists `users` without `default`, so that there is no default user whom this could be for; "
                "add `- default` to them, or say it there.",
            )
