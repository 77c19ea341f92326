"""How an option is declared that is also a variable `ONGGI_*` and a key of the settings file.

What holds when none of them is given is declared once, by the field of `Settings` that the option stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any

import click

from reconciler.duration import in_words, seconds
from reconciler.errors import SettingsError
from reconciler.settings.settings import Settings

if TYPE_CHECKING:
    from reconciler.settings.windows import SyncWindow

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FILE_KEYS: dict[str, type] = {}  # every key that the settings file may have, filled by the declarations below
PARAMETERS: dict[str, str] = {}  # key → the name of the parameter that it stands for


class Duration(click.ParamType[float]):
    """Seconds, or a number with a unit: 30, 30s, 5m, 1h, 7d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number of seconds."""
        try:
            return seconds(str(value))
        except SettingsError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """Bytes with a unit: 512MiB, 1GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        from specs.codecs import bytes_of

        count = value if isinstance(value, int) else bytes_of(str(value))
        if count is None:
            self.fail(f"{value!r} isn't a size; give one such as 1GiB.", param, ctx)
        return count


class Window(click.ParamType["SyncWindow"]):
    """A sync window: a text, or a table of the settings file."""

    name = "window"
    envvar_list_splitter = ";"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SyncWindow:
        """The window."""
        from reconciler.settings.windows import SyncWindow, parse_window

        try:
            return value if isinstance(value, SyncWindow) else parse_window(value)
        except SettingsError as error:
            self.fail(str(error), param, ctx)


def setting(*names: str, parameter: str = "", key_type: type = str, **attributes: Any) -> Decorator:
    """An option that can also be set by a variable and in the file. `parameter` is its name in Python."""
    key = names[0].removeprefix("--")
    parameter = parameter or key.replace("-", "_")
    FILE_KEYS[key] = key_type
    PARAMETERS[key] = parameter
    if isinstance(attributes.get("type"), Size):
        attributes["default"] = f"{_DEFAULTS[parameter] >> 20}MiB"
    elif (default := _DEFAULTS.get(parameter)) is not None:
        attributes["default"] = in_words(default) if isinstance(default, float) else default
    return click.option(*names, parameter, envvar=variable(key), show_envvar=True, **attributes)


def _default(field: Field[Any]) -> Any:
    """What a run is told when nobody says anything; made anew where it depends on who runs it."""
    return field.default_factory if field.default is MISSING else field.default


_DEFAULTS = {field.name: _default(field) for field in fields(Settings)}


def variable(key: str) -> str:
    """The variable that stands for a key of the settings file."""
    return f"ONGGI_{key.upper().replace('-', '_')}"
