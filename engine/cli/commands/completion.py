"""`lockstep completion`: the script that teaches a shell our commands, names and ids."""

from __future__ import annotations

import click

from engine.cli.exits import OK


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a SHELL, for example `eval "$(lockstep completion bash)"`."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None, shell
    script = found(ctx.find_root().command, {}, "lockstep", "_LOCKSTEP_COMPLETE")
    click.echo(script.source())
    return OK
