# ruff: noqa: E501  # tables of values
"""Gives the command line values that nobody would: each option of each verb, its variable, and the settings file."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.declaring import FILE_KEYS, PARAMETERS, Size
from reconciler.cli.main import Verbs, onggi
from reconciler.errors import OnggiError
from reconciler.forges.address import forge_address
from reconciler.hypervisor.host.acceleration import kvm_is_usable
from reconciler.locality import is_here
from reconciler.settings.settings import Settings, read_settings_file
from reconciler.settings.windows import parse_window, state_at
from reconciler.source.location import check_branch, parse_location, parse_sub_path
from tests.fuzz.values import text

_DURATIONS = (
    "0",
    "-1s",
    "1e9",
    "9" * 400,
    "9" * 30 + "d",
    "1.5h",
    "٣m",
    " 5 m ",
    "5 years",
    "nan",
    "inf",
    "1ms",
    "999999999d",
)
_WINDOWS = (
    "allow 0 22 * * 1-5 4h Europe/Berlin", "deny * * * * * 999999999d", "allow 0 0 30 2 * 1h", "allow 0 0 29 2 * 99999d UTC",
    "allow 0 0 * * * 1h ../../etc/passwd", "allow 0 0 * * * 1h Mars", "allow 60 0 * * * 1h", "deny * * * * * 0s", "allow 0 0 1 1 * 9" + "9" * 30 + "d",
)  # fmt: skip


def mistakes(seed: int, folder: Path, state: Path) -> list[str]:
    """What ends in a traceback instead of a sentence, for one value after the other."""
    draw = random.Random(seed)
    return [*_parsed(draw, state), *_in_file(draw, folder), *_used(draw, state)]


def _value(draw: random.Random) -> str:
    return draw.choice((text(draw), text(draw), draw.choice(_DURATIONS), draw.choice(_WINDOWS)))


def _argument(draw: random.Random) -> str:
    """One that the system hands over: bytes without a NUL."""
    return os.fsdecode(_value(draw).encode("utf-8", "replace")).replace("\0", "")


def _parsed(draw: random.Random, state: Path) -> Iterator[str]:
    """Every option of every verb that takes a value."""
    for name, verb in _verbs().items():
        for parameter in verb.params:
            if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.name == "config"):
                continue
            value = _argument(draw)
            try:
                parameter.type_cast_value(
                    click.Context(verb, info_name=name), [value] if _is_many(parameter) else value
                )
            except (click.ClickException, OnggiError):
                continue
            except Exception as error:
                yield f"onggi {name} {parameter.name}={value[:80]!r}: {type(error).__name__}: {error}"


def _is_many(parameter: click.Parameter) -> bool:
    return parameter.nargs != 1 or parameter.multiple


def _in_file(draw: random.Random, folder: Path) -> Iterator[str]:
    """Every key of the settings file, and files that aren't settings at all."""
    file = folder / "onggi.toml"
    for key, wanted in FILE_KEYS.items():
        value = _value(draw).encode("utf-8", "replace").decode()
        quoted = '"' + "".join(f"\\u{ord(each):04x}" if ord(each) < 0x10000 else each for each in value) + '"'
        written = draw.choice(
            (quoted, f"[{quoted}]", value, draw.choice(("1", "-1", "1e400", "nan", "true", "[]", "{}")))
        )
        file.write_text(f"{key} = {written}\n", encoding="utf-8")
        try:
            found = read_settings_file(file, FILE_KEYS)
            if wanted is str:
                Settings(**{PARAMETERS[key]: _as_its_option_reads_it(PARAMETERS[key], found[key])})
        except (click.ClickException, OnggiError):
            continue
        except TypeError as error:
            if "unexpected keyword" not in str(error):  # an option that isn't one of the settings, such as the output
                yield f"{key} = {written[:80]}: {error}"
        except Exception as error:
            yield f"{key} = {written[:80]}: {type(error).__name__}: {error}"


def _as_its_option_reads_it(name: str, value: str) -> Any:
    """What the file says goes through the option's type, where that makes another thing of a text."""
    every = (parameter for verb in _verbs().values() for parameter in verb.params)
    option = next((each for each in every if each.name == name and isinstance(each.type, Size | click.Path)), None)
    return value if option is None else option.type.convert(value, option, None)


def _verbs() -> dict[str, click.Command]:
    assert isinstance(onggi, Verbs)
    context = click.Context(onggi)
    verbs = {name: onggi.get_command(context, name) for name in onggi.list_commands(context)}
    return {name: verb for name, verb in verbs.items() if verb is not None}


def _used(draw: random.Random, state: Path) -> Iterator[str]:
    """What is taken apart again by those that use it."""
    value, now = _argument(draw), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    for what, use in {
        "connect": lambda: _connection(Settings(connect=value, state=state).connect),
        "repository": lambda: parse_location(value),
        "path": lambda: parse_sub_path(value),
        "branch": lambda: check_branch(value),
        "forge": lambda: forge_address(Settings(repository=value, forge="gitea", forge_url=value, state=state)),
        "listen": lambda: Settings(listen=value, state=state),
        "ldap": lambda: Settings(accounts="ldap", ldap_url=value, ldap_search_base=value, state=state),
        "window": lambda: state_at([parse_window(value)], now).reason,
    }.items():
        try:
            use()
        except OnggiError:
            continue
        except Exception as error:
            yield f"{what} {value[:80]!r}: {type(error).__name__}: {error}"


def _connection(uri: str) -> None:
    is_here(uri)
    kvm_is_usable(uri)
