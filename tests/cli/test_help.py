"""Nothing that can be typed is without an explanation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.declaring import FILE_KEYS
from reconciler.cli.main import onggi as group
from tests.cli.command import Onggi

VERBS = [
    "adopt", "apply", "approve", "cert", "completion", "console", "drift", "events", "explain", "export", "get", "init",
    "ip", "logs", "pam", "plan", "restart", "resume", "rollback", "run", "schema", "start", "status", "stop", "suspend",
    "token", "trash", "validate", "verify", "version",
]  # fmt: skip


def commands() -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield name, command


def test_every_verb_is_found_and_nothing_else() -> None:
    assert [name for name, _ in commands()] == VERBS


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_option_and_argument_explains_itself(name: str) -> None:
    command = dict(commands())[name]
    assert command.help
    assert len(command.help.splitlines()[0]) <= 60, "the list of verbs has room for a short sentence"
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name} has no help"  # type: ignore[attr-defined]


def test_every_shared_option_has_a_variable_and_a_key_of_the_same_name() -> None:
    options = {option.opts[0]: option for _, command in commands() for option in command.params if option.envvar}
    named = {flag.removeprefix("--") for flag in options if flag.startswith("--")} - {"config"}
    assert named | {"repository"} == FILE_KEYS.keys()
    for flag, option in options.items():
        assert option.envvar == f"ONGGI_{flag.removeprefix('--').upper().replace('-', '_')}"


def test_help_is_no_error(onggi: Onggi) -> None:
    done = onggi("--help")
    assert done.code == 0
    assert all(f"  {verb} " in done.out for verb in VERBS)
    assert onggi("plan", "-h").code == 0


def test_the_agents_many_options_stand_under_headings_and_each_once(onggi: Onggi) -> None:
    shown = onggi("run", "--help").out
    below = {part.splitlines()[0]: part for part in shown.split("\n\n") if part.splitlines()[0].endswith(":")}
    assert "  --listen " in below["Serving the API:"]
    assert "  --auth " in below["Logging in:"]
    assert "  --ldap-url " in below["An LDAP server:"]
    assert "  --listen " not in below["Options:"]
    for parameter in dict(commands())["run"].params:
        if isinstance(parameter, click.Option):
            flag = re.compile(rf"^  (-\w, )?{parameter.opts[0]}\b(?!-)", re.M)
            assert len(flag.findall(shown)) == 1, parameter.opts[0]


def test_a_mistyped_verb_is_an_error_that_guesses(onggi: Onggi) -> None:
    done = onggi("validat", "x")
    assert (done.code, done.out) == (1, "")
    assert "onggi: error: No such command 'validat'; did you mean 'validate'?" in done.err


def test_a_helper_module_is_no_verb(onggi: Onggi) -> None:
    assert onggi("options").code == 1
    assert onggi("main").code == 1


def test_wrong_usage_never_looks_like_changes(onggi: Onggi, tmp_path: Path) -> None:
    for words in (("plan",), ("plan", tmp_path, "--nonsense"), ("plan", tmp_path, "-o", "xml"), ("get",)):
        assert onggi(*words, "--detailed-exitcode" if words[0] == "plan" else "-q").code == 1
