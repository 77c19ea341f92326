"""`onggi token`: what programs show to the API instead of a password."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.options import RESULT, state, verb
from reconciler.cli.output import Output
from reconciler.duration import seconds
from reconciler.errors import SettingsError
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from reconciler.identity.token_record import TokenRecord
    from reconciler.ledger.token_store import TokenStore

_LONGEST: Final = timedelta(days=3650)
_NEVER: Final = "never"


class Lasting(click.ParamType["timedelta | None"]):
    """A length of time from now, or `never`, which is None."""

    name = "lasting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | None:
        """How long a token lasts."""
        if value is None or value == _NEVER:
            return None
        try:
            length_s = seconds(str(value))
        except SettingsError as error:
            self.fail(str(error), param, ctx)
        if not 0 < length_s <= _LONGEST.total_seconds():
            self.fail(f"give a time up to {_LONGEST.days}d, such as 90d, or `{_NEVER}`.", param, ctx)
        return timedelta(seconds=length_s)


@verb(
    "token",
    click.argument("action", type=click.Choice(["create", "list", "revoke"]), help="What to do."),
    click.argument("what", required=False, metavar="[NAME|ID]", help="The new one's name, or the ID to revoke."),
    click.option("--role", type=click.Choice(["viewer", "operator", "admin"]), help="What the new one may do."),
    click.option(
        "--expires",
        type=Lasting(),
        default="90d",
        show_default=True,
        metavar="TIME",
        help=f"When the new one ends: a time from now, or {_NEVER}.",
    ),
    state,
    *RESULT,
)
def command(
    action: str, what: str | None, role: str | None, expires: timedelta | None, settings: Settings, out: Output
) -> None:
    """Make, list or revoke API tokens.

    `create NAME --role ROLE` shows the token this once; a program sends it as `Authorization: Bearer TOKEN`. What it
    does is `token NAME`'s, in commits and events. `list` shows who made each, when it ends, and to the hour when it was
    used last. `revoke ID` ends one at once. Works beside a running agent.
    """
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.lock import StateFolder

    if (action == "list") != (what is None):
        raise click.UsageError(
            "`list` takes no name." if what is not None else f"name the token to {action}, as in `{_example(action)}`."
        )
    if (action == "create") != (role is not None):
        raise click.UsageError(f"give --role with `create`, as in `{_example('create')}`.")
    with StateFolder.open(settings.state, exclusive=False) as folder, Ledger.open(folder.path, readonly=True) as ledger:
        if action == "create":
            _create(ledger.tokens, what or "", role or "", expires, out)
        elif action == "revoke":
            _revoke(ledger.tokens, what or "", out)
        else:
            _list(ledger.tokens, out)


def _example(action: str) -> str:
    return "onggi token revoke 3" if action == "revoke" else "onggi token create backup --role viewer"


def _create(tokens: TokenStore, name: str, role: str, lasts: timedelta | None, out: Output) -> None:
    from reconciler.identity.names import name_problem
    from reconciler.identity.tokens import digest_of, new_token

    if problem := name_problem(name):
        raise click.UsageError(problem)
    token = new_token()
    digest = digest_of(token)
    assert digest is not None  # noqa: S101  # it was just made
    record = tokens.make(name, role, maker=_maker(), lasts=lasts, digest=digest)
    out.show(lambda: {**_shown(record), "token": token}, lambda: token)
    until = f"ends {record.expires}" if record.expires else "never ends"
    out.note(f"It is token {record.number}, {name} ({role}), and {until}. It isn't shown again: keep it as a password.")


def _revoke(tokens: TokenStore, number: str, out: Output) -> None:
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise click.UsageError("give the ID that `onggi token list` shows, as in `onggi token revoke 3`.")
    record = tokens.revoke(int(number))
    out.show(lambda: _shown(record), lambda: f"token {record.number}, {record.name}, is nobody's from now on")


def _list(tokens: TokenStore, out: Output) -> None:
    from reconciler.reporting.table import table_text

    found = tokens.all()
    heads = ("id", "name", "role", "made by", "made", "ends", "used last")
    rows = [
        (str(each.number), each.name, each.role, each.maker, each.made, each.expires or _NEVER, each.used or _NEVER)
        for each in found
    ]
    out.show(
        lambda: [_shown(each) for each in found], lambda: table_text(heads, rows) if rows else "There are no tokens."
    )


def _shown(record: TokenRecord) -> dict[str, Any]:
    return {
        "id": record.number,
        "name": record.name,
        "role": record.role,
        "maker": record.maker,
        "made": record.made,
        "expires": record.expires or None,
        "used": record.used or None,
    }


def _maker() -> str:
    """Who gives the command, also through sudo; a number for whose name can't be one."""
    from reconciler.identity.names import name_problem

    with suppress(OSError, KeyError):  # a user without a name
        name = os.environ.get("SUDO_USER") or getpass.getuser()
        if not name_problem(name):
            return name
    return str(os.getuid())
