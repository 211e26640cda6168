"""`lockstep schema`: the JSON Schema of workflow files, for editors."""

from __future__ import annotations

import click

from engine.cli.exits import OK


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of workflow files."""
    from engine.definition.json_schema import workflow_schema_text

    click.echo(workflow_schema_text(), nl=False)
    return OK
