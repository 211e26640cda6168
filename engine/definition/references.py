"""JSON Schemas that stand in a workflow file, and the files they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.folder import Folder
    from engine.definition.schema import SchemaNode
    from engine.values.json import Json


def check_schemas(
    schemas: tuple[SchemaNode, ...], folder: Folder | None, report: Report
) -> dict[str, Json]:
    return {}
