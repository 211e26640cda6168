"""Project settings: where they come from, and which source wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cli.settings import FIELDS, Settings, load_settings
from engine.errors import SettingsError


def load(
    folder: Path, environment: dict[str, str] | None = None, flags: dict[str, Any] | None = None
) -> Settings:
    return load_settings(folder, environment or {}, flags)


def test_nothing_is_needed(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found.root == tmp_path
    assert found.source is None
    assert found.database == f"sqlite:///{tmp_path}/.lockstep/lockstep.db"
    assert (found.workflows, found.activities, found.queues) == (None, (), ("default",))


def test_what_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "activities.py").touch()
    found = load(tmp_path)
    assert (found.workflows, found.activities) == (tmp_path / "workflows", ("activities",))


FULL = """
database = "sqlite:///here.db"
workflows = "flows"
activities = ["a.b", "c"]
queues = ["slow"]
config = { region = "eu", since = 2026-01-02 }
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lockstep.toml", FULL),
        ("pyproject.toml", "[tool.lockstep]\n" + FULL),
    ],
)
def test_a_file_counts_for_the_folders_below(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    below = tmp_path / "deep" / "er"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[project]\nname = 'other'\n")  # says nothing of us
    assert load(below) == Settings(
        root=tmp_path,
        source=tmp_path / name,
        database=f"sqlite:///{tmp_path}/here.db",
        workflows=tmp_path / "flows",
        activities=("a.b", "c"),
        queues=("slow",),
        config={"region": "eu", "since": "2026-01-02"},
    )


@pytest.mark.parametrize(
    ("field", "variable", "flag", "wanted"),
    [
        ("database", "sqlite:///v.db", "f.db", ("sqlite:///{}/v.db", "sqlite:///{}/f.db")),
        ("workflows", "v", "f", (Path("{}/v"), Path("{}/f"))),
        ("activities", "v, w", ("f",), (("v", "w"), ("f",))),
        ("queues", "v", ("f", "g"), (("v",), ("f", "g"))),
        ("config", '{"v": 1}', {"f": 1}, ({"v": 1}, {"f": 1})),
    ],
)
def test_flag_before_variable_before_file(
    tmp_path: Path, field: str, variable: str, flag: Any, wanted: tuple[Any, Any]
) -> None:
    def placed(value: Any) -> Any:
        if isinstance(value, str | Path):
            return type(value)(str(value).replace("{}", str(tmp_path)))
        return value

    (tmp_path / "lockstep.toml").write_text(FULL)
    environment = {f"LOCKSTEP_{field.upper()}": variable}
    in_file = getattr(load(tmp_path), field)
    assert getattr(load(tmp_path, environment), field) == placed(wanted[0]) != in_file
    assert getattr(load(tmp_path, environment, {field: flag}), field) == placed(wanted[1])


def test_paths_of_flags_count_from_the_working_folder(tmp_path: Path) -> None:
    found = load_settings(tmp_path / "p", {}, {"database": "x.db"}, here=tmp_path / "here")
    assert found.database == f"sqlite:///{tmp_path}/here/x.db"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
        ("sqlite:///a.db", "sqlite:///{}/a.db"),
        ("sqlite://:memory:", "sqlite://:memory:"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("a.db", "sqlite:///{}/a.db"),
        ("/srv/a.db", "sqlite:////srv/a.db"),
        ("postgresql://host/x", "postgresql://host/x"),
    ],
)
def test_database_urls(tmp_path: Path, url: str, wanted: str) -> None:
    found = load(tmp_path, flags={"database": url}).database
    assert found == wanted.replace("{}", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("databse = 'x'", "did you mean `database`"),
        ("database = 3", "`database` is a URL, not 3"),
        ("queues = 'a'", "`queues` is a list of names"),
        ("queues = ['']", "`queues` is a list of names"),
        ("config = 'a'", "`config` is a table"),
        ("config = { a = inf }", "a number that JSON has not"),
        ("database = ", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "lockstep.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"lockstep\.toml") as caught:
        load(tmp_path)
    assert told in str(caught.value)


def test_a_variable_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LOCKSTEP_CONFIG is not JSON"):
        load(tmp_path, {"LOCKSTEP_CONFIG": "{"})


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    for field in FIELDS:
        assert f"| `{field.name}` | {field.default} | `{field.variable}` |" in page
