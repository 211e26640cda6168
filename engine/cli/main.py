"""`lockstep`: the table of its commands, and the one place where errors become exit codes.

Rule 1: a command's module is imported when the command is called, so help costs nothing.
Rule 2: every error ends as a message and a hint on stderr, never as a traceback (but `--debug`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from engine import __version__
from engine.cli.clean import clean, clean_line
from engine.errors import EngineError

# Name -> (section, what it does). The command stands in `engine.cli.commands.<name>`.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("Write workflows", "Make a project that runs at once."),
    "dev": ("Write workflows", "Work on instances, and take over what is saved."),
    "check": ("Write workflows", "Say everything that is wrong with workflow files."),
    "explain": ("Write workflows", "Explain a diagnostic code."),
    "schema": ("Write workflows", "Print the JSON Schema of workflow files."),
    "run": ("Run workflows", "Start an instance and follow it to its end."),
    "start": ("Run workflows", "Start an instance."),
    "worker": ("Run workflows", "Work on instances until stopped."),
    "list": ("See instances", "List instances, newest first."),
    "show": ("See instances", "Show one instance."),
    "history": ("See instances", "Print the history of an instance, for people or for replay."),
    "watch": ("See instances", "Follow an instance until it ends."),
    "signal": ("Talk to instances", "Send a signal to an instance."),
    "cancel": ("Talk to instances", "Ask an instance to stop; its clean-up runs."),
    "terminate": ("Talk to instances", "End an instance now; nothing of it runs any more."),
    "resume": ("Talk to instances", "Let a suspended instance go on."),
    "release": ("Versions", "Freeze the current version of a workflow."),
    "bump": ("Versions", "Raise the version of a workflow in its file."),
    "lock": ("Versions", "Verify the lock and the frozen files."),
    "compat": ("Versions", "Say whether versions are raised as far as the changes ask for."),
    "diff": ("Versions", "Say what changed between two workflows."),
    "deploy": ("Versions", "Store workflow versions and lock them."),
    "versions": ("Versions", "List deployed versions."),
    "rebase": ("Versions", "Move running instances to another version, where they fit."),
    "replay": ("Versions", "Verify that histories replay as they were recorded."),
    "doctor": ("Care", "Look for what is wrong with the project and its database."),
    "completion": ("Care", "Print the completion script of a shell."),
}


class Session:
    """What holds for one call of `lockstep`."""

    def __init__(self) -> None:
        self.debug = bool(os.environ.get("LOCKSTEP_DEBUG"))


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"engine.cli.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            meant = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"There is no command `{clean_line(name)}`.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, (section, text) in COMMANDS.items():
            sections.setdefault(section, []).append((name, text))
        width = max(map(len, COMMANDS))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"lockstep {__version__}")
        ctx.exit()


def _debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and isinstance(ctx.obj, Session):
        ctx.obj.debug = True


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and exit.",
)
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_debug,
    help="Show tracebacks of errors.",
)
def cli() -> None:
    """Durable workflows written in YAML.

    Data goes to stdout, progress to stderr. `lockstep COMMAND --help` tells more.
    """


def main(argv: list[str] | None = None) -> None:
    """The entry point of the `lockstep` command."""
    for stream in (sys.stdout, sys.stderr):
        # A sign that the terminal's encoding has not is shown as an escape, and stops nothing.
        getattr(stream, "reconfigure", _nothing)(errors="backslashreplace")
    sys.exit(run(argv))


def _nothing(**_: object) -> None:
    """For a stream that is no text file of ours."""


def run(argv: list[str] | None = None) -> int:
    """Run a command line; its exit code."""
    session = Session()
    try:
        result: Any = cli.main(args=argv, prog_name="lockstep", obj=session, standalone_mode=False)
        sys.stdout.flush()
    except EngineError as error:
        from engine.cli.exits import code_for

        _tell(session, error, error.message, error.hint)
        return code_for(error)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        context = error.ctx
        where = f"`{context.command_path} --help` tells more" if context is not None else None
        _tell(session, None, error.format_message(), where)
        return 2
    except click.ClickException as error:
        _tell(session, error, error.format_message(), None)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        # Whoever reads stdout has seen enough; the interpreter must not flush into it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _tell(session, error, f"{error.filename or 'output'}: {error.strerror or error}", None)
        return 1
    except Exception as error:  # noqa: BLE001 - the last place before a traceback
        name = type(error).__name__
        hint = "this is a defect of lockstep; `lockstep --debug …` shows where"
        _tell(session, error, f"unexpected {name}: {error}", hint)
        return 1
    return result if isinstance(result, int) else 0


def _tell(session: Session, error: BaseException | None, message: str, hint: str | None) -> None:
    """One error on stderr."""
    if session.debug and error is not None:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    label = click.style("error:", fg="red", bold=True)
    colour = False if "NO_COLOR" in os.environ else None
    if message:
        click.echo(f"{label} {clean(message)}", err=True, color=colour)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')}  {clean(hint)}", err=True, color=colour)


if __name__ == "__main__":
    main()
