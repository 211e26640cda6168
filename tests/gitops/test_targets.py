"""Two things compared: files, releases, deployments, files of a commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import DefinitionError
from engine.gitops.compare import as_json, as_text, compare_targets
from engine.gitops.refusals import OutsideFolder, UnknownTarget
from engine.gitops.release import release
from engine.gitops.target import Target, find_target
from engine.gitops.workspace import Workspace, open_workspace
from engine.graph.steps import StepGraph
from tests.gitops.folders import commit, edit, repository


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """`order` 1.2.0 is released and committed; the working file is 1.3.0 and calls another."""
    folder = repository(tmp_path)
    release(folder, "order")
    commit(tmp_path)
    edit(folder / "order.yaml", "payments.charge", "payments.take")
    edit(folder / "order.yaml", "1.2.0", "1.3.0")
    edit(folder / "schemas/id.json", '"minLength": 1', '"minLength": 2')
    return open_workspace(folder)


def test_each_way_to_name_a_graph(workspace: Workspace) -> None:
    released = find_target("order@1.2.0", workspace)
    committed = find_target("HEAD:workflows/order.yaml", workspace)
    frozen = find_target("HEAD:workflows/releases/order/1.2.0.yaml", workspace)
    assert released.graph == committed.graph == frozen.graph
    working = find_target("order", workspace)
    assert find_target(str(workspace.base / "order.yaml"), workspace).graph == working.graph
    assert working.graph != released.graph
    assert (released.version, working.version, committed.version) == ("1.2.0", "1.3.0", "1.2.0")


def test_the_schema_files_are_those_of_the_commit(workspace: Workspace) -> None:
    committed = find_target("HEAD:workflows/order.yaml", workspace)
    assert '"minLength":1' in json.dumps(committed.graph.input_schema, separators=(",", ":"))


def test_a_deployment_is_asked_for_when_there_is_no_release(workspace: Workspace) -> None:
    asked: list[tuple[str, str]] = []
    graph = find_target("order", workspace).graph

    def stored(name: str, version: str) -> StepGraph | None:
        asked.append((name, version))
        return graph if version == "1.0.0" else None

    assert find_target("order@1.0.0", workspace, stored).graph is graph
    assert find_target("order@1.2.0", workspace, stored).graph is not graph
    assert asked == [("order", "1.0.0")]
    with pytest.raises(UnknownTarget, match=r"released: 1\.2\.0"):
        find_target("order@7.0.0", workspace, stored)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nothing here", UnknownTarget),
        ("nowhere:order.yaml", UnknownTarget),
        ("--help:order.yaml", UnknownTarget),
        ("odrer", UnknownTarget),
        ("order@../../x", OutsideFolder),
        ("order@1.2", OutsideFolder),
        ("HEAD:workflows/none.yaml", DefinitionError),
        ("HEAD:../workflows/order.yaml", (DefinitionError, UnknownTarget)),
        ("HEAD:/etc/passwd", (DefinitionError, UnknownTarget)),
    ],
)
def test_what_names_nothing(
    workspace: Workspace, text: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        find_target(text, workspace)


def test_findings_of_a_commit_bear_the_name_it_was_given(workspace: Workspace) -> None:
    edit(workspace.base / "order.yaml", "steps:", "step:")
    commit(workspace.base)
    with pytest.raises(DefinitionError) as caught:
        find_target("HEAD:workflows/order.yaml", workspace)
    assert {one.file for one in caught.value.diagnostics} == {"HEAD:workflows/order.yaml"}


def pair(workspace: Workspace) -> tuple[Target, Target]:
    return find_target("order@1.2.0", workspace), find_target("order", workspace)


def test_a_comparison_for_people(workspace: Workspace) -> None:
    text = as_text(compare_targets(*pair(workspace)))
    title_a, title_b, *rest = text.splitlines()
    assert title_a.startswith("--- order@1.2.0 ")
    assert title_b.startswith("+++ order (1.3.0) ")
    assert rest == [
        "~ input_schema.properties.id.minLength: 1 -> 2",
        "~ pay: activity: payments.charge -> payments.take",
        "",
        "contract:",
        "  input /id: minLength: 1 -> 2 (major)",
        "",
        "least bump: major",
    ]


def test_a_comparison_for_programs(workspace: Workspace) -> None:
    found = json.loads(json.dumps(as_json(compare_targets(*pair(workspace)))))
    assert (found["format"], found["equal"], found["least_bump"]) == (1, False, "major")
    assert [change["field"] for change in found["changes"]] == [
        "input_schema.properties.id.minLength",
        "activity",
    ]
    assert {one["rule"] for one in found["reasons"]} == {"input-narrowed", "new-call"}
    assert found["a"]["version"] == "1.2.0"
    assert found["b"]["name"] == "order"


def test_no_difference_says_so(workspace: Workspace) -> None:
    one = find_target("order", workspace)
    found = compare_targets(one, one)
    assert found.equal
    assert "the same revision" in as_text(found)
    assert as_json(found)["changes"] == []
