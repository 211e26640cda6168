"""A turn: what one instance is told, what it decides, and the delta that makes both durable.

Pure apart from the instance it advances: no I/O, no waiting. `take` drains everything the instance
has been told, fact by fact, and gathers what follows from the decisions: rows for the store, and
what the node does once the commit is done (`starts`, `stops`, `logs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from engine.history import events as ev
from engine.history.codec import encode_event, encode_page
from engine.history.letters import write_letter
from engine.interpreter import snapshot
from engine.storage.records import Delta, Message, Page, Send, Snapshot, Summary

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from engine.client.programs import Programs
    from engine.interpreter.program import Program
    from engine.runtime.live import Live, Told
    from engine.runtime.options import NodeOptions
    from engine.storage.records import Creation, Pin
    from engine.values.json import Json

EVENTS_PER_TURN = 2_000  # then the rest waits for the next turn, so that one page stays small

encode_json = msgspec.json.Encoder().encode


class Turn:
    """One turn, computed and not yet committed. Fields are gathered by `effects` and `endings`."""

    def __init__(self, live: Live, now: int, programs: Programs, options: NodeOptions) -> None:
        self.live = live
        self.now = now
        self.programs = programs
        self.options = options
        self.execution = live.execution
        self.expected_seq = live.run.seq
        self.first_seq = live.run.seq + 1
        self.page: list[bytes] = []
        self.pages: list[Page] = []
        self.consumed: list[int] = []
        self.acks: list[asyncio.Future[None]] = []
        self.heard: list[Told] = []  # from calls: nobody would tell it again
        self.late: list[asyncio.Future[None]] = []  # of those who came after the end
        self.starts: dict[int, ev.ActivityScheduled] = {}
        self.stops: list[int] = []
        self.timers: dict[int, int] = {}
        self.withdrawn: list[int] = []
        self.sends: list[Send] = []
        self.children: list[Creation] = []
        self.born: dict[str, tuple[Pin, Program]] = {}
        self.logs: list[ev.Logged] = []
        self.next_pin: Pin | None = None
        self.over = False  # the execution ended: no call of it is wanted any more
        self.summary: Summary | None = None

    @property
    def running(self) -> int:
        """The number of the execution being advanced now."""
        started = self.live.run.started
        return started.execution if started is not None else self.live.execution

    def me(self, seq: int) -> ev.Parent:
        """The address that an answer to decision `seq` goes to."""
        return ev.Parent(instance_id=self.live.id, execution=self.running, ref=seq)

    def to_self(self, fact: ev.Fact) -> Message:
        """A message to this execution."""
        return Message(self.live.id, write_letter(fact), execution=self.running)

    def post(self, to: str, fact: ev.Fact, *, execution: int | None = None) -> None:
        """Send a fact to another instance; if there is none, nobody minds."""
        self.sends.append(Send(message=Message(to, write_letter(fact), execution=execution)))

    def close_page(self) -> None:
        """Make a page of the events gathered for the running execution."""
        if not self.page:
            return
        payload = encode_page(self.page)
        last = self.first_seq + len(self.page) - 1
        self.pages.append(Page(self.running, self.first_seq, last, payload))
        self.live.size += len(payload)
        self.page = []


def take_turn(
    live: Live,
    now: int,
    programs: Programs,
    options: NodeOptions,
    *,
    effects: dict[type, Callable[[Turn, int, Any], ev.Fact | None]],
    ended: Callable[[Turn], list[ev.Fact]],
) -> tuple[Turn, Delta]:
    """Advance the instance by everything it has been told; the delta is what to commit."""
    turn = Turn(live, now, programs, options)
    told = live.told
    if isinstance(live.run.ended, ev.ContinuedAsNew):  # it continued twice in the turn before
        _apply_all(turn, ended(turn), effects, ended)
    while told and not (turn.next_pin or live.awaits) and len(turn.page) < EVENTS_PER_TURN:
        one = told.popleft()
        if one.message is not None:
            turn.consumed.append(one.message)
        elif one.ack is None:
            turn.heard.append(one)
        if one.ack is not None:
            turn.acks.append(one.ack)
        if one.execution is not None and one.execution != turn.running:
            continue  # meant for an execution that is over
        if one.reply is not None and not _answered(turn, one):
            continue
        _apply_all(turn, [one.fact], effects, ended)
    if live.run.ended is None and live.run.seq > options.history_limit:
        _apply(turn, too_long(live, options.history_limit), effects, ended)
    return turn, _delta(turn)


def _apply_all(
    turn: Turn,
    facts: list[ev.Fact],
    effects: dict[type, Callable[[Turn, int, Any], ev.Fact | None]],
    ended: Callable[[Turn], list[ev.Fact]],
) -> None:
    """Apply facts, and before the next one those that follow from it at once."""
    while facts:
        facts[:0] = _apply(turn, facts.pop(0), effects, ended)


def _apply(
    turn: Turn,
    fact: Any,
    effects: dict[type, Callable[[Turn, int, Any], ev.Fact | None]],
    ended: Callable[[Turn], list[ev.Fact]],
) -> list[ev.Fact]:
    """Advance by one fact; returns those that follow at once, to be applied next."""
    live = turn.live
    run = live.run
    if not run.accepts(fact):
        return []
    at = max(turn.now, run.now)
    if fact.at != at:
        fact = msgspec.structs.replace(fact, at=at)
    decisions = run.advance(fact)
    page = turn.page
    page.append(encode_event(fact))
    if type(fact) is ev.ActivityCompleted or type(fact) is ev.ActivityFailed:
        live.open_activities -= 1
    follow: list[ev.Fact] = []
    seq = run.seq - len(decisions)
    for decision in decisions:
        seq += 1
        page.append(encode_event(decision))
        effect = effects.get(type(decision))
        if effect is not None:
            follows = effect(turn, seq, decision)
            if follows is not None:
                follow.append(follows)
    if run.ended is None:
        return follow
    if turn.next_pin is not None and isinstance(run.ended, ev.ContinuedAsNew):
        return []  # at most one continue-as-new in a turn; the node takes another at once
    return ended(turn)


def _answered(turn: Turn, one: Told) -> bool:
    """Check a signal from another instance and answer its sender; False: it is refused."""
    fact: Any = one.fact
    reply = one.reply
    assert reply is not None
    error = signal_refusal(turn.live, fact.name, fact.payload, turn.options.signal_backlog)
    answer: ev.Fact = (
        ev.SignalDelivered(at=0, ref=reply.ref)
        if error is None
        else ev.SignalRefused(at=0, ref=reply.ref, error=error)
    )
    turn.post(reply.instance_id, answer, execution=reply.execution)
    return error is None


def signal_refusal(live: Live, name: str, payload: Json, backlog: int) -> ev.Failure | None:
    """Why an instance does not take this signal, or None."""
    if live.run.ended is not None:
        return ev.Failure(type="sys.instance_finished", message=f"instance `{live.id}` has ended")
    problem = live.program.refused_signal(name, payload)
    if problem is not None:
        message = f"signal `{name}` refused at `{problem.path}`: {problem.message}"
        return ev.Failure(type="sys.validation", message=message)
    waiting = len(live.run.mailbox.get(name, ())) + len(live.told)
    if waiting >= backlog:
        message = f"{waiting} signals wait already; the limit is {backlog}"
        return ev.Failure(type="sys.limit", message=message, retryable=True)
    return None


def too_long(live: Live, limit: int) -> ev.Aborted:
    """The fact that ends an execution whose history grew over the limit."""
    message = f"the history has {live.run.seq} events; the limit is {limit}: use continue_as_new"
    return ev.Aborted(at=0, error=ev.Failure(type="sys.limit", message=message))


def _delta(turn: Turn) -> Delta:
    live = turn.live
    turn.close_page()
    execution = turn.running
    summary = turn.summary
    if summary is None:
        summary = Summary(
            status="running",
            updated_at=turn.now,
            # a continue-as-new that is still to be carried out keeps the instance claimable too
            open_activities=live.open_activities + (live.run.ended is not None),
            open_waits=len(live.run.open) - live.open_activities,
            custom_status=live.custom_status,
            upgrade_blocked=live.upgrade_blocked,
            awaits_version=live.awaits,
        )
    return Delta(
        instance_id=live.id,
        epoch=live.epoch,
        execution=turn.execution,
        expected_seq=turn.expected_seq,
        summary=summary,
        create=live.create,
        pages=tuple(turn.pages),
        consumed=tuple(turn.consumed),
        timers=tuple(
            Message(live.id, write_letter(ev.TimerFired(at=0, ref=ref)), due, execution, ref)
            for ref, due in turn.timers.items()
        )
        if turn.timers
        else (),
        withdrawn=tuple(turn.withdrawn),
        sends=tuple(turn.sends),
        children=tuple(turn.children),
        snapshot=_snapshot(turn),
        next_pin=turn.next_pin,
    )


def _snapshot(turn: Turn) -> Snapshot | None:
    """A saved state now and then, so that a reload replays only the tail."""
    live = turn.live
    run = live.run
    if run.ended is not None or run.seq - live.saved_seq < turn.options.snapshot_every:
        return None
    live.saved_seq = run.seq
    return Snapshot(turn.running, run.seq, snapshot.dump(run))
