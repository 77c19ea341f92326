"""The options that verbs share, each declared once: its flag, its variable `ONGGI_*` and its key in the settings file.

A verb names what it takes and gets finished values: `settings`, `out`, and whatever is its own. A flag wins over a
variable, a variable over the file, the file over the default.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import reconciler.cli.account_options  # the settings file may have them whatever the verb
import reconciler.cli.oidc_options  # likewise
import reconciler.cli.wire_options  # noqa: F401  # likewise
from reconciler.cli.declaring import FILE_KEYS, PARAMETERS, Decorator, Duration, Size, Window, setting, variable
from reconciler.cli.headings import HeadedCommand
from reconciler.cli.here import repository_here
from reconciler.cli.network_options import allowed_networks
from reconciler.cli.output import Output, wants_colour
from reconciler.cli.reach_options import REACH
from reconciler.errors import SettingsError
from reconciler.settings.settings import Settings, read_settings_file, settings_files
from reconciler.source.limits import allow

if TYPE_CHECKING:
    from specs.registry import Kind


def _repository_argument() -> Decorator:
    FILE_KEYS["repository"] = str
    PARAMETERS["repository"] = "repository"
    return click.argument(
        "repository",
        metavar="[REPO]",
        envvar="ONGGI_REPOSITORY",
        required=False,
        default=repository_here,
        help="Path or URL of a git repository, or a plain folder for trying out.  [default: the repository around the "
        "current folder]",
    )


repository = _repository_argument()
connect = setting("--connect", metavar="URI", show_default=True, help="libvirt's connection URI.")
branch = setting("--branch", metavar="NAME", help="The branch to follow.  [default: the repository's own]")
path = setting("--path", metavar="DIR", help="The folder of the repository to use.  [default: all]")
max_files = setting(
    "--max-files",
    key_type=int,
    type=int,
    show_default=True,
    metavar="N",
    help="How many YAML files a source may have; one with more is refused as a whole.",
)
max_fetch = setting(
    "--max-fetch",
    type=Size(),
    show_default=True,
    metavar="SIZE",
    help="How much one fetch from a remote may bring; a larger one is ended.",
)
state = setting(
    "--state",
    type=click.Path(path_type=Path),
    show_default="/var/lib/onggi as root, else ~/.local/state/onggi",
    metavar="DIR",
    help="Where onggi keeps what it remembers of this host.",
)
output = setting(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)
MARKDOWN = "markdown"
# For the verbs whose result belongs into a pull request.
output_or_markdown = setting(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "yaml", MARKDOWN]),
    default="text",
    show_default=True,
    help="How the result is printed; markdown is for a pull request.",
)
no_color = setting(
    "--no-color", key_type=bool, is_flag=True, help="No colours (also NO_COLOR); there are none outside a terminal."
)
detailed_exitcode = setting(
    "--detailed-exitcode",
    key_type=bool,
    is_flag=True,
    help="Exit with 2 when there are changes, 0 when there are none, 1 on an error.",
)
listen = setting(
    "--listen",
    metavar="HOST:PORT",
    help="Serve the API on this address of this machine.  [default: no]",
)
socket = setting(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Serve the API on this Unix socket: the kernel says who asks, and what is changed is committed in their name.",
)
socket_group = setting(
    "--socket-group", metavar="GROUP", help="Whose members may use --socket.  [default: nobody's, root alone]"
)
api_writes = setting(
    "--api-writes",
    type=click.Choice(["on", "off"]),
    show_default=True,
    help="Whether the API may change the repository; what it changes is committed there.",
)
federation = setting(
    "--federation",
    type=click.Choice(["on", "off"]),
    show_default=True,
    help="Whether this agent tells others on the network where it answers, and lists them at /peers.",
)
disabled_plugins = setting(
    "--disable-plugin",
    parameter="disabled_plugins",
    key_type=list,
    multiple=True,
    metavar="NAME",
    help="A plugin that isn't loaded; * for all of them. May be repeated; the variable takes blanks.",
)
interval = setting(
    "--interval",
    parameter="interval_s",
    key_type=float,
    type=Duration(),
    show_default=True,
    metavar="TIME",
    help="How often a remote repository is asked for news. Local commits are seen at once.",
)
resync_interval = setting(
    "--resync-interval",
    parameter="resync_s",
    key_type=float,
    type=Duration(),
    show_default=True,
    metavar="TIME",
    help="How often the whole host is read again; libvirt's events are seen at once.",
)
trash_retention = setting(
    "--trash-retention",
    parameter="trash_retention_s",
    key_type=float,
    type=Duration(),
    show_default=True,
    metavar="TIME",
    help="How long a removed volume with deletionPolicy: Delete is kept; 0 deletes at once.",
)
webhook_secret_file = setting(
    "--webhook-secret-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The secret that webhooks are proven by; with --listen. Without it every webhook is refused.",
)
forge_token_file = setting(
    "--forge-token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The token with which commit statuses and plans of pull requests are told to the forge.  [default: not told]",
)
forge = setting(
    "--forge",
    type=click.Choice(["github", "gitlab", "gitea", "forgejo"]),
    help="What kind of forge the repository lies on.  [default: as its host says]",
)
forge_url = setting(
    "--forge-url",
    metavar="URL",
    help="Where the forge's API answers.  [default: as the repository's host says]",
)
forge_repository = setting(
    "--forge-repository",
    metavar="OWNER/NAME",
    help="The repository's name on the forge.  [default: as its URL says]",
)
forge_plan_forks = setting(
    "--forge-plan-forks",
    key_type=bool,
    is_flag=True,
    help="Plan pull requests from forks too, which anybody may have written.",
)
require_signed = setting(
    "--require-signed",
    type=click.Choice(["no", "head", "all"]),
    show_default=True,
    help="Which commits have to be signed: none, the newest, or every new one.",
)
allowed_signers = setting(
    "--allowed-signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who may sign with an ssh key, in ssh's allowed_signers format.",
)
revoked_signers = setting(
    "--revoked-signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="ssh keys that are no longer taken: public keys, or a key revocation list.",
)
allowed_gpg_keys = setting(
    "--allowed-gpg-keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who may sign with a GPG key: exported public keys.",
)
sync_windows = setting(
    "--sync-window",
    parameter="sync_windows",
    key_type=dict,
    type=Window(),
    multiple=True,
    metavar="WINDOW",
    help="When the host may be changed, as in 'allow 0 22 * * 1-5 4h Europe/Berlin': allow or deny, five cron fields, "
    "a duration, a time zone. May be repeated; deny wins; the variable takes semicolons.",
)
log_format = setting(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the log on stderr is written.",
)
verbose = setting(
    "--verbose", "-v", key_type=bool, is_flag=True, help="Tell more, and show unexpected errors' tracebacks."
)
quiet = setting("--quiet", "-q", key_type=bool, is_flag=True, help="Tell only of warnings and errors.")

SIGNED = (require_signed, allowed_signers, revoked_signers, allowed_gpg_keys)
UNSIGNED = (repository, branch, path, max_files, max_fetch, disabled_plugins)
SOURCE = (*UNSIGNED, *SIGNED)
HOST = (connect, *REACH, allowed_networks)
RESULT = (output, no_color)
MARKDOWN_RESULT = (output_or_markdown, no_color)
FORGE = (forge_token_file, forge, forge_url, forge_repository, forge_plan_forks)


_FILE = "onggi.settings-file"  # in a run's context: the file that was read, and what it says


def _refuse_anothers(file: Path) -> None:
    """Root with another user's HOME (`sudo -E`, `su -m`) isn't that user's to command. Raises SettingsError."""
    from reconciler.confined.trust import others_than_us

    if (others := others_than_us(file)) is not None:
        raise SettingsError(
            f"The settings file {file} isn't read by root, for {others.where} may be changed by {others.who}; name it "
            "with --config if it is meant, or give the command with `sudo -H`, which has root's own."
        )


def _read_config(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    """Make the file's values the defaults of this verb's options."""
    file = value or next((file for file in settings_files() if file.is_file()), None)
    if file is not None:
        if value is None and file != settings_files()[0] and os.geteuid() == 0:
            _refuse_anothers(file)
        found = read_settings_file(file, FILE_KEYS)
        ctx.default_map = {PARAMETERS[key]: item for key, item in found.items()}
        ctx.meta[_FILE] = file, found


def settings_said() -> Iterator[tuple[str, str, Any]]:
    """Every setting of any verb that isn't left at its default in this run: the key, where it is said, the value."""
    ctx = click.get_current_context()
    file, found = ctx.meta.get(_FILE, (None, {}))
    for key, parameter in PARAMETERS.items():
        if ctx.get_parameter_source(parameter) is click.core.ParameterSource.COMMANDLINE:
            yield key, "the command line", ctx.params[parameter]
        elif value := os.environ.get(variable(key)):
            yield key, variable(key), value
        elif key in found:
            yield key, str(file), found[key]


config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="ONGGI_CONFIG",
    show_envvar=True,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="A TOML file with settings.  [default: /etc/onggi/onggi.toml, then ~/.config/onggi/onggi.toml]",
)

_SETTINGS = frozenset(field.name for field in fields(Settings))


def verb(
    name: str, *options: Decorator, logs_at: str = "", checked: bool = True
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a function the verb `name`. Its docstring is the help, its result the exit code (None: 0).

    The function gets what its `options` say: `settings` when one of them is a field of Settings, `out` when it prints a
    result, and the rest by name. `logs_at` is the level from which its log is shown; a verb without one logs nothing.
    One that isn't `checked` gets all by name, and works with settings that can't be right.
    """

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def run(**values: Any) -> int:
            if logs_at:
                _set_up_logs(values, logs_at)
            given: dict[str, Any] = {}
            if checked and (chosen := {key: values.pop(key) for key in _SETTINGS & values.keys()}):
                given["settings"] = Settings(**chosen)
                allow(given["settings"].max_files, given["settings"].max_fetch)
                _look_for_plugins(given["settings"])
            if "output" in values:
                colour = wants_colour(values.pop("no_color"))
                given["out"] = Output(values.pop("output"), colour, values["quiet"], values["verbose"])
            for key in ("verbose", "quiet"):
                values.pop(key)
            return function(**given, **values) or 0

        decorated: Callable[..., Any] = run
        declared: tuple[Decorator, ...] = (*options, verbose, quiet, config)
        for option in reversed(declared):
            decorated = option(decorated)
        return click.command(
            name,
            cls=HeadedCommand,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )(decorated)

    return decorate


def _look_for_plugins(settings: Settings) -> None:
    """A document of a kind that onggi doesn't have may be a plugin's; only then are plugins looked for."""
    from specs.registry import look_further

    def find() -> Iterable[Kind]:
        from reconciler.host.plugins import plugins_in_use

        return plugins_in_use(frozenset(settings.disabled_plugins)).kinds

    look_further(find)


def _set_up_logs(values: dict[str, Any], level: str) -> None:
    import logging

    from reconciler.cli.log_output import set_up

    set_up(
        verbose=values["verbose"],
        quiet=values["quiet"],
        log_format=values.pop("log_format", "text"),
        level=logging.getLevelNamesMapping()[level],
    )
