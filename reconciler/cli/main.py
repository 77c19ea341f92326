"""The command `onggi`: finds its verbs in this folder, and turns every end of one into an exit code.

A verb is a module here with a `command`; there is no list. Only the module of the verb that is asked for is imported.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import sys
from pathlib import Path

import click

from reconciler.errors import OnggiError

_FOLDER = Path(__file__).parent
# Reading a host makes many objects and hardly any circles; looking for those at each 700 new ones is a tenth of a plan.
_GARBAGE_AFTER = 100_000


class Verbs(click.Group):
    """A group whose members are the modules of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in alphabetical order."""
        import pkgutil

        names = (module.name for module in pkgutil.iter_modules([str(_FOLDER)]) if module.name != "main")
        return sorted(name for name in names if self.get_command(ctx, name) is not None)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """The verb `name`; None when there is none."""
        if not name.isidentifier() or not (_FOLDER / f"{name}.py").is_file():
            return None
        command = getattr(importlib.import_module(f"reconciler.cli.{name}"), "command", None)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, and it guesses what was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from specs.nearest import nearest

            near = nearest(args[0], self.list_commands(ctx))
            remedy = f"did you mean '{near[0]}'?" if near else "'onggi --help' lists the commands."
            raise click.UsageError(f"No such command '{args[0]}'; {remedy}", ctx) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def onggi() -> None:
    """Make a libvirt host as a git repository of YAML documents says, and keep it so.

    Start with `onggi init DIR`, then `onggi plan DIR`. Every option can also be set by its variable ONGGI_* or in a
    settings file (--config).
    """


def main() -> int:
    """Run the command line. The exit code: 0 fine, 1 error, 130 interrupted, 2 changes (where a verb was asked)."""
    gc.set_threshold(_GARBAGE_AFTER, 10, 10)
    atexit.register(
        gc.freeze
    )  # what is left goes with the process: the interpreter's last look for circles is for nothing
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that can't show an arrow gets a question mark
    try:
        result = onggi.main(prog_name="onggi", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        return _failed(error.format_message())
    except OnggiError as error:
        return _failed(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("onggi: interrupted", err=True)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # whoever read has gone: nothing is left to flush at exit
        return 1
    except Exception as error:
        # The arguments themselves are asked: it may have gone wrong before they were understood.
        if {"-v", "--verbose"} & set(sys.argv):
            import traceback

            traceback.print_exc()
            return _failed(f"something unexpected went wrong ({type(error).__name__}); please report it")
        return _failed(
            f"something unexpected went wrong ({type(error).__name__}); run it again with -v for the traceback, "
            "and please report it"
        )
    return result if isinstance(result, int) else 0


def _failed(message: str) -> int:
    colour = sys.stderr.isatty()
    label = click.style("error:", fg="red", bold=True) if colour else "error:"
    click.echo(f"onggi: {label} {' '.join(message.split())}", err=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
