"""The pages of the command line and the settings say what the program says."""

from __future__ import annotations

import pytest

from engine.cli.main import COMMANDS
from tests.cli.reference import DOCS, PAGES, commands, replaced


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == replaced(page, PAGES[name]()), "run: python -m tests.cli.reference"


def test_every_command_has_a_help_text_and_a_place() -> None:
    for name, command, _ in commands():
        assert command.name == name
        assert command.help, name
        section, text = COMMANDS[name]
        assert section
        assert text.endswith(".")


def test_every_option_has_a_help_text() -> None:
    silent = [
        f"{name} {option.name}"
        for name, command, context in commands()
        for option in command.get_params(context)
        if option.param_type_name == "option" and not getattr(option, "help", "")
    ]
    assert silent == []
