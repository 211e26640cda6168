"""The shop behind `order-saga` and `hello`: prices, stock, money, parcels and mail in one file.

The file is SQLite, named by `LOCKSTEP_SHOP` (default `.lockstep/shop.db`). Every activity may be
called again with the same idempotency key and then changes nothing more: a row remembers the key
that made it.

Two ways to see an order fail: a total above the card limit is declined, and nothing is shipped to
the country `XX`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine import ActivityContext, ActivityError, activity

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD_LIMIT_CENTS = 500_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY, cents INTEGER NOT NULL, stock INTEGER NOT NULL CHECK (stock >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS reservations (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reserved (
    reservation_id TEXT NOT NULL REFERENCES reservations, sku TEXT NOT NULL,
    quantity INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS charges (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, cents INTEGER NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS shipments (
    id TEXT PRIMARY KEY, reservation_id TEXT NOT NULL, country TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS mails (
    id TEXT PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL
) STRICT;
INSERT OR IGNORE INTO products VALUES
    ('apple', 50, 1000), ('lamp', 4900, 25), ('desk', 39900, 20), ('unicorn', 99900, 0);
"""


class Line(msgspec.Struct, frozen=True):
    """One line of an order."""

    sku: str
    quantity: int


class Address(msgspec.Struct, frozen=True):
    """Where a parcel goes; `country` is a two-letter code."""

    street: str
    city: str
    country: str


class Quote(msgspec.Struct, frozen=True):
    """What the order costs."""

    total_cents: int


class Receipt(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: str


@contextmanager
def shop_database() -> Iterator[sqlite3.Connection]:
    """One transaction on the shop's file, which is made when it is missing."""
    path = Path(os.environ.get("LOCKSTEP_SHOP", ".lockstep/shop.db"))
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


@activity("shop.greet", timeout="10s")
async def greet(name: str) -> str:
    """Greet somebody by name."""
    return f"Hello, {name}!"


@activity("pricing.quote", timeout="10s")
def quote(items: list[Line]) -> Quote:
    """Add up the prices of the lines."""
    with shop_database() as shop:
        prices: dict[str, int] = dict(shop.execute("SELECT sku, cents FROM products"))
    for line in items:
        if line.sku not in prices:
            raise ActivityError(
                f"there is no product `{line.sku}`", type="pricing.unknown_sku", retryable=False
            )
    return Quote(total_cents=sum(prices[line.sku] * line.quantity for line in items))


@activity("inventory.reserve", timeout="10s")
def reserve(order_id: str, items: list[Line], ctx: ActivityContext) -> Receipt:
    """Take every line out of stock, or none."""
    reservation = f"res-{ctx.idempotency_key}"
    with shop_database() as shop:
        if shop.execute("SELECT 1 FROM reservations WHERE id = ?", [reservation]).fetchone():
            return Receipt(id=reservation)
        shop.execute("INSERT INTO reservations VALUES (?, ?, 'held')", [reservation, order_id])
        for line in items:
            taken = shop.execute(
                "UPDATE products SET stock = stock - ? WHERE sku = ? AND stock >= ?",
                [line.quantity, line.sku, line.quantity],
            )
            if taken.rowcount == 0:
                raise ActivityError(
                    f"{line.quantity} x `{line.sku}` are not in stock",
                    type="inventory.out_of_stock",
                    retryable=False,
                )
            shop.execute(
                "INSERT INTO reserved VALUES (?, ?, ?)", [reservation, line.sku, line.quantity]
            )
    return Receipt(id=reservation)


@activity("inventory.release", timeout="10s")
def release(reservation_id: str) -> None:
    """Put a reservation back on the shelf; once, however often it is called."""
    with shop_database() as shop:
        held = shop.execute(
            "UPDATE reservations SET state = 'released' WHERE id = ? AND state = 'held'",
            [reservation_id],
        )
        if held.rowcount:
            shop.execute(
                "UPDATE products SET stock = stock + (SELECT sum(quantity) FROM reserved"
                " WHERE reservation_id = ? AND reserved.sku = products.sku)"
                " WHERE sku IN (SELECT sku FROM reserved WHERE reservation_id = ?)",
                [reservation_id, reservation_id],
            )


@activity("payments.charge", timeout="10s")
def charge(customer_id: str, cents: int, ctx: ActivityContext) -> Receipt:
    """Charge the customer's card."""
    if cents > CARD_LIMIT_CENTS:
        raise ActivityError(
            f"the card of {customer_id} does not cover {cents / 100:.2f}",
            type="payments.declined",
            retryable=False,
            details={"limit_cents": CARD_LIMIT_CENTS},
        )
    made = f"ch-{ctx.idempotency_key}"
    with shop_database() as shop:
        shop.execute(
            "INSERT OR IGNORE INTO charges VALUES (?, ?, ?, 'charged')", [made, customer_id, cents]
        )
    return Receipt(id=made)


@activity("payments.refund", timeout="10s")
def refund(charge_id: str) -> None:
    """Give the money back."""
    with shop_database() as shop:
        shop.execute("UPDATE charges SET state = 'refunded' WHERE id = ?", [charge_id])


@activity("shipping.create", timeout="10s")
def create_shipment(reservation_id: str, address: Address, ctx: ActivityContext) -> Receipt:
    """Book a parcel."""
    if address.country == "XX":
        raise ActivityError(
            f"nobody delivers to {address.city}", type="shipping.unreachable", retryable=False
        )
    parcel = f"sh-{ctx.idempotency_key}"
    with shop_database() as shop:
        shop.execute(
            "INSERT OR IGNORE INTO shipments VALUES (?, ?, ?)",
            [parcel, reservation_id, address.country],
        )
    return Receipt(id=parcel)


@activity("mail.send", timeout="10s")
def send_mail(to: str, subject: str, ctx: ActivityContext) -> None:
    """Put a mail into the outbox."""
    with shop_database() as shop:
        shop.execute(
            "INSERT OR IGNORE INTO mails VALUES (?, ?, ?)", [ctx.idempotency_key, to, subject]
        )
