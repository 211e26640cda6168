"""The commands, one by one: what they print, where, and how they exit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.cli import exits, main
from tests.cli.conftest import WORKFLOWS, Project, undented

FIELDS = {
    "instance_id", "workflow", "version", "revision", "semantics", "execution", "status", "input",
    "output", "error", "custom_status", "parent", "waiting_for", "created_at", "updated_at",
    "finished_at",
}  # fmt: skip


# -- run -------------------------------------------------------------------------------------------


def test_run_prints_the_result_and_nothing_else(project: Project) -> None:
    said = project.call("run", "add", "-i", "a=40")
    assert (said.code, said.out) == (exits.OK, "42\n")
    assert "sum: call add" in said.err
    assert "an activity may print" in said.err


def test_run_quiet_shows_no_progress(project: Project) -> None:
    said = project.call("run", "add", "-q")
    assert (said.out, "call add" in said.err) == ("3\n", False)


def test_run_of_a_file_deploys_it(project: Project) -> None:
    said = project.call("run", "workflows/add.yaml")
    assert said.out == "3\n"
    assert [one["name"] for one in project.call("versions", "-o", "json").data] == ["add"]


def test_a_failed_instance_exits_with_1_and_the_error_tree(project: Project) -> None:
    said = project.call("run", "fails")
    assert (said.code, said.out) == (exits.FAILED, "")
    assert "shop.broken: no \\x1b[31mgood" in said.err
    assert "at broken, attempt 1" in said.err
    assert 'details {"why": "test"}' in said.err
    assert "\x1b" not in said.err


def test_run_stops_following_in_time(project: Project) -> None:
    said = project.call("run", "naps", "--id", "n", "--timeout", "0.1")
    assert said.code == exits.TIMED_OUT
    assert "lockstep watch n" in said.err
    assert project.call("show", "n", "-o", "json").data["status"] == "running"


CHANGED = undented(WORKFLOWS["add"]).replace("steps.sum.output }}", "steps.sum.output + 1 }}")


@pytest.mark.parametrize("target", ["add", "workflows/add.yaml"])
def test_run_refuses_a_changed_file_under_a_locked_version(project: Project, target: str) -> None:
    assert project.call("deploy").code == exits.OK
    project.write("workflows/add.yaml", CHANGED)
    said = project.call("run", target)
    assert (said.code, said.out) == (exits.FAILED, "")
    deployed = project.call("versions", "add", "-o", "json").data[0]["revision"]
    assert f"deployed  {deployed[:12]}" in said.err
    assert "~ output: ${{ steps.sum.output }} -> ${{ steps.sum.output + 1 }}" in said.err
    assert 'version: "1.0.1"' in said.err


def test_a_locked_version_still_runs_when_it_is_named(project: Project) -> None:
    project.call("deploy")
    project.write("workflows/add.yaml", CHANGED)
    assert project.call("run", "add", "--version", "1.0.0").out == "3\n"


def test_a_broken_neighbour_stops_nobody_but_is_told(project: Project) -> None:
    project.write("workflows/bad.yaml", "dsl: 1\nname: bad\n")
    said = project.call("run", "add")
    assert said.out == "3\n"
    assert "workflows/bad.yaml:1:1: error" in said.err
    assert project.call("run", "bad").code == exits.FAILED


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (["run", "nope"], exits.NOT_FOUND, "no workflow `nope` is deployed"),
        (["run", "add", "--version", "^7"], exits.NOT_FOUND, "no version that satisfies `^7`"),
        (["run", "add", "-i", "a=x"], exits.USAGE, "input refused at"),
        (["run", "add", "-i", "[1"], exits.USAGE, "neither JSON nor `name=value`"),
        (["run", "add", "-i", "[1]", "-i", "a=1"], exits.USAGE, "cannot be merged"),
        (["run", "add", "-i", "@none.json"], exits.USAGE, "cannot be read"),
        (["run", "none.yaml"], exits.USAGE, "no workflow file or folder `none.yaml`"),
        (["run", "add", "--frob"], exits.USAGE, "No such option"),
        (["frob"], exits.USAGE, "no command `frob`"),
        (["lst"], exits.USAGE, "Did you mean `list`?"),
        (["run", "add", "--activities", "nope"], exits.USAGE, "`nope` cannot be imported"),
        (["run", "add", "--project", "nope"], exits.USAGE, "no folder `nope`"),
        (["run", "add", "--database", "no/x.db"], exits.UNAVAILABLE, "does not exist"),
        (["list"], exits.UNAVAILABLE, "there is no database"),
        (["check", "nope"], exits.USAGE, "no file or folder `nope`"),
        (["explain", "E999"], exits.NOT_FOUND, "no diagnostic code `E999`"),
        (["replay", "none.json"], exits.USAGE, "cannot be read"),
    ],
)
def test_refusals_are_a_message_and_an_exit_code(
    project: Project, given: list[str], code: int, told: str
) -> None:
    said = project.call(*given)
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["a=5", "b=6"], 11),
        (['{"a": 5}', "b=6"], 11),
        (["@in.json"], 30),
        (["@in.json", "a=@five.json"], 25),
    ],
)
def test_input_is_given_in_parts(project: Project, given: list[str], wanted: int) -> None:
    project.write("in.json", '{"a": 10, "b": 20}')
    project.write("five.json", "5")
    options = [word for part in given for word in ("-i", part)]
    assert project.call("run", "add", "-q", *options).data == wanted


def test_a_defect_is_no_traceback(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a \x1b[2Jdefect")

    project.call("run", "add", "-q")
    monkeypatch.setattr("engine.client.client.Client.list", broken)
    said = project.call("list")
    assert said.code == exits.FAILED
    assert "unexpected RuntimeError: a \\x1b[2Jdefect" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in project.call("--debug", "list").err


def test_a_folder_that_cannot_be_written_is_temporary(project: Project) -> None:
    """Not even root may make a file in /proc."""
    said = project.call("run", "add", "--database", "/proc/lockstep.db")
    assert (said.code, said.out) == (exits.UNAVAILABLE, "")
    assert "/proc" in said.err
    assert "Traceback" not in said.err


def test_a_full_disk_under_stdout_is_no_defect(project: Project) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine.cli.main", "schema"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        exits.FAILED,
        "error: output: No space left on device\n",
    )


# -- seeing ----------------------------------------------------------------------------------------


def test_show_has_every_field(project: Project) -> None:
    project.call("run", "add", "--id", "sum-1", "-i", "a=1")
    shown = project.call("show", "sum-1", "-o", "json").data
    assert shown.keys() >= FIELDS
    assert (shown["status"], shown["output"], shown["input"]) == ("completed", 3, {"a": 1, "b": 2})
    assert "sum-1" in project.call("show", "sum-1").out


def test_show_of_a_waiting_one_without_any_node(project: Project) -> None:
    project.call("run", "waits", "--id", "w", "--timeout", "0.1")
    shown = project.call("show", "w", "-o", "json").data
    assert shown["waiting_for"] == [{"kind": "signal", "step": "wait", "name": "go"}]
    assert "wait: signal (name go)" in project.call("show", "w").out


def test_list_in_every_output(project: Project) -> None:
    long = "i" * 200
    for name in ("one", long):
        project.call("run", "add", "-q", "--id", name)
    project.call("run", "fails", "-q", "--id", "bad")
    assert [one["instance_id"] for one in project.call("list", "-o", "json").data] == [
        "bad", long, "one",
    ]  # fmt: skip
    assert len(project.call("list", "-o", "jsonl").out.splitlines()) == 3
    table = project.call("list", "-s", "failed", "-w", "fails").out.splitlines()
    assert len(table) == 2
    assert table[0].split()[:4] == ["ID", "WORKFLOW", "VERSION", "STATUS"]
    assert "shop.broken: no \\x1b[31mgood" in table[1]
    assert long in project.call("list", "--prefix", "ii").out
    assert "- instance_id: one" in project.call("list", "--after", long, "-o", "yaml").out


def test_watch_in_a_pipe_gives_events(project: Project) -> None:
    project.call("run", "add", "--id", "a")
    kinds = [json.loads(line)["kind"] for line in project.call("watch", "a").out.splitlines()]
    assert (kinds[0], kinds[-1]) == ("started", "completed")
    assert project.call("watch", "a", "-o", "lines").out.endswith("completed\n")
    project.call("run", "fails", "--id", "b")
    assert project.call("watch", "b").code == exits.FAILED


# -- versions and replay ---------------------------------------------------------------------------


def test_deploy_and_versions(project: Project) -> None:
    done = project.call("deploy", "-o", "json").data
    assert [one["name"] for one in done] == sorted(WORKFLOWS)
    assert project.call("deploy").code == exits.OK
    project.call("run", "naps", "--timeout", "0.1")
    [naps] = project.call("versions", "naps", "-o", "json").data
    assert naps.keys() >= {"name", "version", "revision", "deployed_at", "deployed_by", "running"}
    assert (naps["running"], naps["instances"]) == (1, {"running": 1})
    assert project.call("versions", "nope").code == exits.NOT_FOUND


def test_deploy_is_all_or_nothing(project: Project) -> None:
    project.write("workflows/bad.yaml", "dsl: 1\nname: bad\n")
    said = project.call("deploy")
    assert (said.code, said.out) == (exits.FAILED, "")
    (project.folder / "workflows/bad.yaml").unlink()
    project.call("deploy", "workflows/add.yaml")
    project.write("workflows/add.yaml", CHANGED)
    assert project.call("deploy").code == exits.FAILED
    assert [one["name"] for one in project.call("versions", "-o", "json").data] == ["add"]


def exported(project: Project, value: str = '{"a": 1}') -> dict[str, Any]:
    assert project.call("run", "add", "--id", "a", "-i", value).code == exits.OK
    data: dict[str, Any] = project.call("history", "a", "-o", "json").data
    return data


EXPORTABLE = undented(WORKFLOWS["add"]).replace("integer", "number")


def test_an_exported_history_replays_where_the_database_is_not(project: Project) -> None:
    project.write("activities.py", "from engine import activity\n\n\n@activity\ndef add(a, b):\n"
                  "    return {'sum': a + b, 'text': 'ü \\x85'}\n")  # fmt: skip
    project.write("workflows/add.yaml", EXPORTABLE)
    data = exported(project, '{"a": 1.5, "b": 1e16}')
    assert {"workflow", "version", "revision", "events"} <= data.keys()
    project.write("a.json", json.dumps(data))
    for given in (["a"], ["a.json"], ["a.json", "a"]):
        assert project.call("replay", *given).code == exits.OK, given
    there = ["--database", "none.db", "--workflow", "workflows/add.yaml"]
    said = project.call("replay", "a.json", *there, "-o", "json")
    assert (said.code, said.data[0]["result"]) == (exits.OK, "ok")
    assert project.call("replay", "a.json", *there[:2]).code == exits.NOT_FOUND


def test_replay_tells_where_it_diverges(project: Project) -> None:
    data = exported(project)
    project.write("a.json", json.dumps(data))
    project.write("other.yaml", CHANGED.replace("name: add", "name: other"))
    said = project.call("replay", "a.json", "a", "--workflow", "other.yaml", "-o", "json")
    assert said.code == exits.DIVERGED
    assert [one["result"] for one in said.data] == ["diverges", "diverges"]
    assert "diverges at event 4" in said.data[0]["problem"]
    data["events"][1]["activity"] = "subtract"
    project.write("a.json", json.dumps(data))
    assert project.call("replay", "a.json").code == exits.DIVERGED


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.pop("lockstep_history"), "not an exported history of format 1"),
        (lambda data: data.pop("revision"), "not an exported history"),
        (lambda data: data["events"].pop(0), "event 1 has the number 2"),
        (lambda data: data["events"][0].update(kind="frob"), "event 1 cannot be read"),
        (lambda data: data["events"][0].pop("at"), "event 1 cannot be read"),
    ],
)
def test_a_damaged_export_is_refused(project: Project, change: Any, told: str) -> None:
    data = exported(project)
    change(data)
    project.write("a.json", json.dumps(data))
    said = project.call("replay", "a.json")
    assert said.code == exits.USAGE
    assert told in said.err


# -- checking --------------------------------------------------------------------------------------


def test_check_finds_everything_in_files_and_folders(project: Project, golden: Any) -> None:
    assert project.call("check").code == exits.OK
    project.write(
        "workflows/bad.yaml", 'dsl: 1\nname: bad\nversion: "1.0.0"\nsteps:\n  - sleeep: 1s\n'
    )
    project.write("workflows/worse.yaml", "dsl: 1\nname: other\nsteps: []\n")
    said = project.call("check", "workflows/worse.yaml", "workflows")
    assert (said.code, said.out.count("workflows/worse.yaml:2:7: ")) == (exits.FAILED, 1)
    golden("cli/check.txt", project.call("check", "workflows/bad.yaml").out)
    found = project.call("check", "--format", "json").data
    errors = {one["file"] for one in found if one["severity"] == "error"}
    assert errors == {"workflows/bad.yaml", "workflows/worse.yaml"}
    sarif = project.call("check", "--format", "sarif").data
    assert len(sarif["runs"][0]["results"]) == len(found)
    assert len(project.call("check", "--format", "github").out.splitlines()) == len(found)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_file_cannot_write_to_the_terminal(project: Project, form: str) -> None:
    steps = 'steps: ["\\e[31mred": 1, "\\u202eevil": 2]\n'
    project.write("bad\x1b]0;title.yaml", 'dsl: 1\nname: bad\nversion: "1.0.0"\n' + steps)
    said = project.call("check", ".", "--format", form)
    assert said.code == exits.FAILED
    assert not {"\x1b", "\u202e"} & set(said.out)
    assert "red" in said.out


def test_explain(project: Project) -> None:
    assert project.call("explain", "e228").out.startswith("E228: ")
    assert "E101" in project.call("explain").out


def test_schema_is_json(project: Project) -> None:
    assert project.call("schema").data["title"] == "Lockstep workflow"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(project: Project, shell: str) -> None:
    assert "_LOCKSTEP_COMPLETE" in project.call("completion", shell).out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["li"], ["list"]),
        (["run", "a"], ["add"]),
        (["show", ""], ["n-2", "n-1"]),
        (["cancel", "n-1"], ["n-1"]),
        (["list", "--stat"], ["--status"]),
        (["show", "--database", "none.db", ""], []),
    ],
)
def test_the_shell_completes(
    project: Project, monkeypatch: pytest.MonkeyPatch, words: list[str], wanted: list[str]
) -> None:
    for name in ("n-1", "n-2"):
        project.call("run", "add", "-q", "--id", name)
    monkeypatch.setenv("_LOCKSTEP_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(["lockstep", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    with pytest.raises(SystemExit):
        main.run([])
    out = project.capture.readouterr().out
    assert [line.removeprefix("plain,") for line in out.split()] == wanted


# -- init and doctor -------------------------------------------------------------------------------


def test_a_new_project_runs_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.call("init", "new").code == exits.OK
    new = project.folder / "new"
    text = (new / "workflows/hello.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schemas/workflow.schema.json\n")
    assert json.loads((new / "workflows/schemas/workflow.schema.json").read_text())
    monkeypatch.chdir(new)
    assert project.call("check").code == exits.OK
    assert project.call("run", "hello", "-i", "name=Ann").data == {"greeting": "Hello, Ann!"}
    assert project.call("doctor").code == exits.OK


def test_init_changes_nothing_that_is_there(project: Project) -> None:
    project.write(".gitignore", "mine")
    before = (project.folder / "activities.py").read_text()
    for _ in range(2):
        assert project.call("init").code == exits.OK
        assert (project.folder / "activities.py").read_text() == before
        assert (project.folder / ".gitignore").read_text() == "mine\n.lockstep/\n"


def findings(project: Project) -> dict[tuple[str, str], str]:
    data = project.call("doctor", "-o", "json").data
    return {(one["check"], one["result"]): one["told"] for one in data["checks"]}


def test_doctor_is_content(project: Project) -> None:
    project.call("run", "add", "-q")
    assert {result for _, result in findings(project)} == {"ok"}
    assert project.call("doctor").code == exits.OK


def test_doctor_without_a_database(project: Project) -> None:
    said = project.call("doctor", "-o", "json")
    assert said.code == exits.UNAVAILABLE
    assert said.data["ok"] is False


def test_doctor_sees_what_is_wrong(project: Project) -> None:
    project.call("run", "naps", "-q", "--timeout", "0.1")
    project.write("workflows/add.yaml", CHANGED)
    project.write("activities.py", "from engine import activity\n\n\n@activity\ndef other(): ...\n")
    found = findings(project)
    assert project.call("doctor").code == exits.FAILED
    assert found["activities", "error"] == "`fail` is not registered"
    assert found["files", "error"] == "changed since they were locked: add 1.0.0"
    assert found["node", "warning"] == "none is alive; open instances: 1"


def test_doctor_survives_a_broken_activity_module(project: Project) -> None:
    project.call("run", "add", "-q")
    project.write("activities.py", "raise OSError('no such luck')\n")
    assert "OSError: no such luck" in findings(project)["activities", "error"]
