"""What one transaction puts into inboxes, and the instances it creates.

Rule 1: of the alternatives of a send or a creation exactly one is delivered (G9, G10); an
alternative itself has none: if its receiver is gone, it is dropped.
Rule 2: a message for an execution that is not the current one is for something that has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine.storage.records import TERMINAL_STATUSES, Creation, Message, Send, StoredMessage
from engine.storage.sqlite.queries import SQL

if TYPE_CHECKING:
    import sqlite3

Delivery = Literal["delivered", "missing", "finished"]

# `Creation.execution` when the caller does not say: the next one, whichever that is.
_ANY_EXECUTION = 1


class Mail:
    """Delivers messages inside a transaction; `delivered` collects those visible at `now`."""

    def __init__(self, raw: sqlite3.Connection, *, now: int = 0, owner: int | None = None) -> None:
        self._raw = raw
        self._owner = owner
        self.now = now
        self.delivered: list[StoredMessage] = []

    def deliver(self, message: Message) -> Delivery:
        """Put a message into its inbox, if there is one."""
        row = self._raw.execute(SQL["address"], (message.instance_id,)).fetchone()
        if row is None:
            return "missing"
        key, status, execution = row
        if status in TERMINAL_STATUSES or message.execution not in (None, execution):
            return "finished"
        self._add(key, message)
        return "delivered"

    def send(self, send: Send) -> None:
        """Deliver a message or what the sender wants to hear instead."""
        delivery = self.deliver(send.message)
        answer = send.then
        if delivery != "delivered":
            answer = send.missing if delivery == "missing" else send.finished
        if answer is not None:
            self.deliver(answer)

    def create(self, creation: Creation) -> bool:
        """Create an instance with its first message; False when the id is taken."""
        key = create_row(
            self._raw, creation, owner=self._owner if creation.claimed else None, exact=False
        )
        if key is not None and creation.start is not None:
            self._add(key, Message(creation.instance_id, creation.start))
        self.answer(creation, created=key is not None)
        return key is not None

    def answer(self, creation: Creation, *, created: bool) -> None:
        """Deliver what the creator wants to hear."""
        answer = creation.then if created else creation.otherwise
        if answer is not None:
            self.deliver(answer)

    def start(self, creation: Creation) -> None:
        """Deliver the first message of an instance that was created with its first turn."""
        if creation.start is not None:
            self.deliver(Message(creation.instance_id, creation.start))

    def _add(self, key: int, message: Message) -> None:
        cursor = self._raw.execute(
            SQL["add_message"],
            (key, message.visible_at, message.execution, message.token, message.payload),
        )
        if message.visible_at <= self.now and cursor.lastrowid is not None:
            self.delivered.append(
                StoredMessage(
                    cursor.lastrowid,
                    message.instance_id,
                    message.payload,
                    message.visible_at,
                    message.execution,
                )
            )


def create_row(
    raw: sqlite3.Connection, creation: Creation, *, owner: int | None, exact: bool
) -> int | None:
    """Insert the row of a new instance, or replace that of a finished one; return its key.

    With `exact` a replacement must get just the execution the creation names.
    """
    cursor = raw.execute(SQL["create_instance"], creation_row(creation, owner=owner))
    if cursor.rowcount == 1:
        return cursor.lastrowid
    if not creation.replace_finished:
        return None
    there = raw.execute(SQL["address"], (creation.instance_id,)).fetchone()
    if there is None or is_pruned(raw, creation):
        return None
    key, status, execution = there
    expected = creation.execution == execution + 1
    if status not in TERMINAL_STATUSES or not (
        expected or (creation.execution == _ANY_EXECUTION and not exact)
    ):
        return None
    return _replace(raw, creation, key, owner)


def is_pruned(raw: sqlite3.Connection, creation: Creation) -> bool:
    """Whether the version that a new instance is pinned to has no content any more."""
    pin = creation.pin
    row = raw.execute(SQL["is_pruned"], (pin.workflow, pin.version)).fetchone()
    return row is not None


def creation_row(
    creation: Creation, *, owner: int | None, status: str = "pending"
) -> tuple[str, str, str, str, int, int, str, int, int | None, int, str | None]:
    """The parameters of `create_instance`."""
    pin = creation.pin
    return (
        creation.instance_id,
        pin.workflow,
        pin.version,
        pin.revision,
        pin.semantics,
        creation.execution,
        status,
        0 if owner is None else 1,
        owner,
        creation.created_at,
        creation.parent_id,
    )


def _replace(raw: sqlite3.Connection, creation: Creation, key: int, owner: int | None) -> int:
    raw.execute(SQL["archive_finished"], (key,))
    new_key: int = raw.execute(SQL["next_instance_key"]).fetchone()[0]
    raw.execute(SQL["move_executions"], (new_key, key))
    pin = creation.pin
    raw.execute(
        SQL["replace_instance"],
        (
            key,
            new_key,
            pin.workflow,
            pin.version,
            pin.revision,
            pin.semantics,
            "pending",
            0 if owner is None else 1,
            owner,
            creation.created_at,
            creation.parent_id,
        ),
    )
    return new_key
