"""Plays a case: turns what it tells into facts, and compares what came of it."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.history import events as ev
from engine.interpreter.view import waiting_for
from engine.values.duration import parse_duration
from engine.values.retry import RetryPolicy
from tests.interpreter.case_format import Case, Told
from tests.interpreter.driver import Driver
from tests.interpreter.programs import EPOCH, program_of, started
from tests.interpreter.told import line_of
from tests.scenarios.expectations import part_of

ASKED: dict[str, type] = {
    "completed": ev.ActivityScheduled,
    "failed": ev.ActivityScheduled,
    "fired": ev.TimerCreated,
    "child_started": ev.ChildScheduled,
    "child_completed": ev.ChildScheduled,
    "child_failed": ev.ChildScheduled,
    "delivered": ev.SignalSent,
    "refused": ev.SignalSent,
}


class Stage:
    """One case under way."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.driver = Driver(program_of(case.workflow))
        self.now = EPOCH

    def play(self) -> None:
        """From `started` to the last expectation."""
        given = dict(self.case.started)
        if "mailbox" in given:
            given["mailbox"] = tuple(ev.Mail(**mail) for mail in given["mailbox"])
        if "parent" in given:
            given["parent"] = ev.Parent(**given["parent"])
        self._apply(started(self.case.input, **given), self.case.begins)
        for number, told in enumerate(self.case.facts, 1):
            try:
                self._tell(told)
            except AssertionError as error:
                error.add_note(f"at fact {number}: {told.verb()}")
                raise
        self.driver.finish()
        self._compare()

    # -- facts --------------------------------------------------------------------------------

    def _tell(self, told: Told) -> None:
        if told.at is not None:
            self.now = max(self.now, EPOCH + parse_duration(told.at.removeprefix("+")))
        verb = told.verb()
        if verb is None:
            return
        name, operand = verb
        if name == "all_completed":
            self._complete_all()
        elif name == "late":
            ((asked, about),) = operand.items()
            assert not self.driver.run.accepts(self._fact(asked, about))
        else:
            self._apply(self._fact(name, operand), told.then)

    def _apply(self, fact: Any, then: list[str] | None) -> None:
        before = len(self.driver.events) + 1
        decisions = self.driver.tell(fact)
        if then is not None:
            events = self.driver.events
            lines = [
                line_of(one, events[: before + i], self.now) for i, one in enumerate(decisions)
            ]
            assert lines == then, lines

    def _complete_all(self) -> None:
        for ref in sorted(self.driver.run.open):
            event = self.driver.events[ref - 1]
            if isinstance(event, ev.ActivityScheduled) and ref in self.driver.run.open:
                given = event.input.get("v") if isinstance(event.input, dict) else None
                self._apply(ev.ActivityCompleted(at=self.now, ref=ref, result=given), None)

    def _fact(self, verb: str, operand: Any) -> Any:
        about = dict(operand) if isinstance(operand, dict) else {"step": operand}
        match verb:
            case "signal":
                name = about.pop("name", None) or about["step"]
                return ev.SignalReceived(at=self.now, name=name, payload=about.get("payload"))
            case "cancel":
                return ev.CancelRequested(at=self.now, reason=operand)
            case "terminate":
                return ev.Terminated(at=self.now, reason=operand)
            case "rebased":
                return ev.Rebased(at=self.now, **about)
            case "aborted":
                return ev.Aborted(at=self.now, error=ev.Failure(**about))
        ref = self._ref(verb, about)
        return self._answer(verb, ref, about)

    def _answer(self, verb: str, ref: int, about: dict[str, Any]) -> Any:
        match verb:
            case "completed":
                return ev.ActivityCompleted(at=self.now, ref=ref, result=about.get("result"))
            case "failed":
                policy = about.pop("policy", None)
                own = msgspec.convert(policy, RetryPolicy) if policy is not None else None
                error = _failure(about, "test.failed", retryable=True)
                beat = about.get("heartbeat")
                return ev.ActivityFailed(
                    at=self.now, ref=ref, error=error, policy=own, heartbeat=beat
                )
            case "fired":
                self.now = max(self.now, self.driver.events[ref - 1].due_at)
                return ev.TimerFired(at=self.now, ref=ref)
            case "child_started":
                wanted = self.driver.events[ref - 1].instance_id
                return ev.ChildStarted(
                    at=self.now, ref=ref, instance_id=wanted, version="1.0.0", revision="c1"
                )
            case "child_completed":
                return ev.ChildCompleted(at=self.now, ref=ref, output=about.get("output"))
            case "child_failed":
                return ev.ChildFailed(at=self.now, ref=ref, error=_child_failure(about))
            case "delivered":
                return ev.SignalDelivered(at=self.now, ref=ref)
            case "refused":
                error = _failure(about, "sys.instance_not_found", retryable=False)
                return ev.SignalRefused(at=self.now, ref=ref, error=error)
        raise AssertionError(verb)

    def _ref(self, verb: str, about: dict[str, Any]) -> int:
        """The newest decision of that step that such a fact answers."""
        path = "" if about["step"] == "(workflow)" else about["step"]
        wanted = about.get("purpose")
        found = [
            seq
            for seq, event in enumerate(self.driver.events, 1)
            if isinstance(event, ASKED[verb])
            and event.path == path
            and wanted in (None, getattr(event, "purpose", None))
        ]
        assert found, f"no step `{path}` asked for that"
        return found[-1]

    # -- expectations -------------------------------------------------------------------------

    def _compare(self) -> None:
        expect, events = self.case.expect, self.driver.events
        end: Any = self.driver.run.ended
        told = self.told()
        if expect.running is not None:
            assert end is None, told
            waits = [f"{one['kind']} {one['step']}" for one in waiting_for(self.driver.run)]
            assert waits == expect.running, told
        if expect.completed is not msgspec.UNSET:
            assert isinstance(end, ev.Completed), told
            assert end.output == expect.completed, (end.output, told)
        if expect.failed is not None:
            assert isinstance(end, ev.Failed), told
            assert part_of(expect.failed, _plain(end.error)), (_plain(end.error), told)
        if expect.cancelled is not msgspec.UNSET:
            assert isinstance(end, ev.Cancelled), told
            assert end.reason == expect.cancelled
            if expect.error is None:
                assert end.error is None, _plain(end.error)
            else:
                assert end.error is not None, told
                assert part_of(expect.error, _plain(end.error)), _plain(end.error)
        if expect.terminated is not msgspec.UNSET:
            assert isinstance(end, ev.Terminated), told
            assert end.reason == expect.terminated
        if expect.continued is not msgspec.UNSET:
            assert isinstance(end, ev.ContinuedAsNew), told
            assert (end.input, end.version) == (expect.continued, expect.version or "policy")
        self._compare_state(told)
        assert bool(events)

    def _compare_state(self, told: str) -> None:
        expect, run, scope = self.case.expect, self.driver.run, self.driver.scope
        events = self.driver.events
        if expect.vars is not None:
            assert scope is not None
            assert dict(scope.own_vars or {}) == expect.vars, told
        if expect.steps is not None:
            assert scope is not None
            records = dict(scope.own_steps or {})
            assert part_of(expect.steps, records), records
        if expect.mailbox is not None:
            left = {name: list(queue) for name, queue in run.mailbox.items() if queue}
            assert left == expect.mailbox
            carried: dict[str, list[Any]] = {}
            for mail in run.mail():
                carried.setdefault(mail.name, []).append(mail.payload)
            assert carried == expect.mailbox
        if expect.status is not msgspec.UNSET:
            assert run.custom_status == expect.status
        if expect.logs is not None:
            logged = [f"{e.level} {e.text}" for e in events if isinstance(e, ev.Logged)]
            assert logged == expect.logs, logged
        asked = [e for e in events if isinstance(e, (ev.ActivityScheduled, ev.ChildScheduled))]
        for path, given in (expect.inputs or {}).items():
            assert [e.input for e in asked if e.path == path][-1] == given
        if expect.calls is not None:
            calls = [e for e in events if isinstance(e, ev.ActivityScheduled)]
            assert [line_of(e, [], 0).removeprefix("call ") for e in calls] == expect.calls

    def told(self) -> str:
        """The history in lines, for whoever must find out what went wrong."""
        return "\n" + "\n".join(
            f"{seq:4} {event}" for seq, event in enumerate(self.driver.events, 1)
        )


def _failure(about: dict[str, Any], type: str, *, retryable: bool) -> ev.Failure:
    given = {"type": type, "message": "it failed", "retryable": retryable}
    fields = ("type", "message", "retryable", "details")
    return ev.Failure(**(given | {name: about[name] for name in fields if name in about}))


def _child_failure(about: dict[str, Any]) -> ev.Failure:
    """What the runtime makes of a child that failed."""
    cause = _failure(about, "test.failed", retryable=False)
    message = f"child failed: {cause.message}"
    retryable = bool(about.get("retryable", True))
    return ev.Failure(type="sys.child_failed", message=message, retryable=retryable, cause=cause)


def _plain(error: ev.Failure) -> Any:
    return {"retryable": False, **msgspec.to_builtins(error)}
