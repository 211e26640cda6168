"""The mark `@activity` and `Retry`."""

from datetime import timedelta

import pytest

from engine.activities.decorator import activity, definition_of
from engine.activities.retry import Retry
from engine.errors import SettingsError
from engine.values.duration import MINUTE, SECOND
from engine.values.retry import RetryPolicy


def test_a_marked_function_stays_what_it_is():
    def reserve(qty: int) -> int:
        return qty + 1

    assert activity("inventory.reserve")(reserve) is reserve
    assert reserve(1) == 2


def test_bare_mark_takes_the_functions_name():
    @activity
    def charge_card(): ...

    assert definition_of(charge_card).name == "charge_card"


def test_empty_parentheses_are_as_good_as_none():
    @activity()
    def charge_card(): ...

    assert definition_of(charge_card).name == "charge_card"


def test_options_are_kept_in_the_engines_terms():
    @activity(
        "a.b",
        retry=Retry(max_attempts=5, delay=timedelta(seconds=2)),
        timeout="2m",
        heartbeat="30s",
        isolation="process",
        idempotent=False,
        description="Does it.",
    )
    async def function(): ...

    definition = definition_of(function)
    assert definition.name == "a.b"
    assert definition.retry == RetryPolicy(max_attempts=5, delay=2 * SECOND)
    assert definition.timeout == 2 * MINUTE
    assert definition.heartbeat == 30 * SECOND
    assert definition.isolation == "process"
    assert definition.idempotent is False
    assert definition.description == "Does it."
    assert definition.is_async


def test_nothing_said_means_no_retry_no_limit_no_isolation():
    @activity
    def function(): ...

    definition = definition_of(function)
    assert (definition.retry, definition.timeout, definition.heartbeat) == (None, None, None)
    assert definition.isolation is None
    assert definition.idempotent
    assert not definition.is_async


def test_description_is_the_first_paragraph_of_the_docstring():
    @activity
    def function():
        """Reserve goods
        in the warehouse.

        Not told.
        """

    assert definition_of(function).description == "Reserve goods in the warehouse."


def test_a_method_marked_in_its_class_is_called_on_its_object():
    class Payments:
        def __init__(self, fee: int) -> None:
            self.fee = fee

        @activity("payments.charge")
        def charge(self, cents: int) -> int:
            return cents + self.fee

    definition = definition_of(Payments(fee=3).charge)
    assert definition.function(cents=1) == 4
    assert list(definition.signature.input_schema["properties"]) == ["cents"]


def test_an_unmarked_function_has_no_definition():
    assert definition_of(len) is None


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a-b", "1a", "a.1b", "a b", "a/b"])
def test_names_that_no_workflow_could_write_are_refused(name):
    with pytest.raises(SettingsError, match="cannot be the name of an activity"):
        activity(name)(lambda: None)


@pytest.mark.parametrize("name", ["a", "_a", "cms.create_record", "A.b2.c"])
def test_names_are_dotted_identifiers(name):
    assert definition_of(activity(name)(lambda: None)).name == name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": "5 minutes"}, "write `5m`"),
        ({"timeout": 30}, "neither text nor a timedelta"),
        ({"heartbeat": timedelta(seconds=-1)}, "negative"),
        ({"retry": 3}, "retry is a Retry"),
        ({"isolation": "thread"}, "no isolation 'thread'"),
    ],
)
def test_wrong_options_are_refused_where_they_stand(options, said):
    with pytest.raises(SettingsError, match=said):
        activity("a.b", **options)


def test_only_functions_can_be_marked():
    with pytest.raises(SettingsError, match="marks functions"):

        @activity
        class Thing: ...


def test_retry_defaults_are_those_of_the_language():
    assert Retry().policy == RetryPolicy()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"jitter": 2}, "jitter"),
        ({"delay": "1 s"}, "1s"),
        ({"backoff": "cubic"}, "no backoff `cubic`"),
        ({"retry_on": "payments.*"}, "list of error types"),
    ],
)
def test_a_retry_that_cannot_be_is_refused(options, said):
    with pytest.raises(SettingsError, match=said):
        Retry(**options)
