"""The registry of a node."""

from types import ModuleType

import pytest

from engine.activities.decorator import activity, definition_of
from engine.activities.registry import ActivityRegistry
from engine.errors import SettingsError


@activity("inventory.reserve")
def reserve(): ...


@activity("inventory.release")
def release(): ...


@activity("mail.send")
def send(): ...


def warehouse() -> ModuleType:
    module = ModuleType("warehouse")
    module.__dict__.update(reserve=reserve, release=release, number=1, plain=len, again=reserve)
    return module


def test_functions_modules_and_definitions_are_sources():
    registry = ActivityRegistry([warehouse(), definition_of(send)])
    assert registry.names() == ["inventory.release", "inventory.reserve", "mail.send"]
    assert registry.get("mail.send").function is send
    assert "mail.send" in registry
    assert registry.get("mail.sent") is None
    assert len(registry) == 3


def test_the_same_function_twice_is_one_activity():
    assert ActivityRegistry([warehouse(), reserve]).names() == [
        "inventory.release",
        "inventory.reserve",
    ]


def test_two_functions_of_one_name_are_refused_with_both_places():
    @activity("mail.send")
    def other(): ...

    with pytest.raises(SettingsError) as refusal:
        ActivityRegistry([send, other])
    message = refusal.value.message
    assert "`mail.send`" in message
    for function in (send, other):
        code = function.__code__
        assert f"{code.co_filename}:{code.co_firstlineno}" in message


def unmarked(): ...


@activity
def wrong(*args): ...


def in_a_closure():
    @activity(isolation="process")
    def inner(): ...

    return inner


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (unmarked, "is not an activity"),
        (ModuleType("empty"), "module `empty` holds no activity"),
        (wrong, "cannot be given by name"),
        (in_a_closure(), "cannot be imported by another process"),
    ],
)
def test_what_cannot_be_called_stops_the_start(source, said):
    with pytest.raises(SettingsError, match=said):
        ActivityRegistry([source])


@pytest.mark.parametrize(
    ("name", "suggestions"),
    [
        ("inventory.reserv", ["inventory.reserve", "inventory.release"]),
        ("post.send", ["mail.send"]),
        ("xyz", []),
    ],
)
def test_suggestions(name, suggestions):
    assert ActivityRegistry([warehouse(), send]).suggestions(name) == suggestions
