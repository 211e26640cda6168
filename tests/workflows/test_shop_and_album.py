"""`hello`, `order-saga` and `album-thumbnails` on the real engine, and what they leave behind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import workflows.activities
from engine import Engine
from engine.errors import InputRefused, InstanceFailed
from workflows.activities.png import decode

pytestmark = pytest.mark.usefixtures("replayed")

FOLDER = Path(workflows.__file__).parent
ADDRESS = {"street": "Dorfstr. 1", "city": "Ulm", "country": "DE"}
CUSTOMER = {"id": "ann", "email": "ann@shop.example", "address": ADDRESS}


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setenv("LOCKSTEP_SHOP", str(tmp_path / "shop.db"))
    monkeypatch.setenv("LOCKSTEP_MEDIA", str(tmp_path / "media"))
    async with Engine.open(
        f"sqlite:///{tmp_path / 'lockstep.db'}", workflows=FOLDER, activities=[workflows.activities]
    ) as opened:
        yield opened


async def run(engine: Engine, workflow: str, given: dict[str, Any]) -> Any:
    handle = await engine.client.start(workflow, given)
    return await handle.result(timeout=30)


def in_shop(folder: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(folder / "shop.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def order(sku: str, quantity: int, **customer: Any) -> dict[str, Any]:
    return {
        "order_id": "A-1",
        "customer": {**CUSTOMER, **customer},
        "items": [{"sku": sku, "quantity": quantity}, {"sku": "apple", "quantity": 2}],
    }


async def test_hello(engine: Engine) -> None:
    assert (await run(engine, "hello", {}))["greeting"] == "Hello, world!"
    assert (await run(engine, "hello", {"name": "Ann"}))["greeting"] == "Hello, Ann!"


async def test_an_order_is_confirmed(engine: Engine, tmp_path: Path) -> None:
    made = await run(engine, "order-saga", order("lamp", 3))
    assert (made["status"], made["total_cents"]) == ("confirmed", 3 * 4900 + 2 * 50)
    assert in_shop(tmp_path, "SELECT stock FROM products WHERE sku = 'lamp'") == [(22,)]
    assert in_shop(tmp_path, "SELECT cents, state FROM charges") == [(14800, "charged")]
    assert in_shop(tmp_path, "SELECT id FROM shipments") == [(made["shipment_id"],)]


async def test_a_declined_card_gives_the_stock_back_and_tells_the_customer(
    engine: Engine, tmp_path: Path
) -> None:
    made = await run(engine, "order-saga", order("desk", 15))
    assert made["status"] == "declined"
    assert in_shop(tmp_path, "SELECT sku, stock FROM products WHERE sku IN ('apple', 'desk')") == [
        ("apple", 1000),
        ("desk", 20),
    ]
    assert in_shop(tmp_path, "SELECT recipient, subject FROM mails") == [
        ("ann@shop.example", "Order A-1 - your card was declined")
    ]
    assert in_shop(tmp_path, "SELECT * FROM charges") == []


async def test_a_parcel_that_cannot_be_sent_leaves_no_trace(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed) as failure:
        await run(engine, "order-saga", order("lamp", 1, address={**ADDRESS, "country": "XX"}))
    assert failure.value.error["type"] == "shipping.unreachable"
    assert in_shop(tmp_path, "SELECT state FROM charges") == [("refunded",)]
    assert in_shop(tmp_path, "SELECT state FROM reservations") == [("released",)]
    assert in_shop(tmp_path, "SELECT stock FROM products WHERE sku = 'lamp'") == [(25,)]


async def test_what_is_not_in_stock_is_not_charged(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InstanceFailed) as failure:
        await run(engine, "order-saga", order("unicorn", 1))
    assert failure.value.error["type"] == "inventory.out_of_stock"
    assert in_shop(tmp_path, "SELECT * FROM charges") == []
    assert in_shop(tmp_path, "SELECT * FROM reservations") == []


async def test_the_schemas_of_the_folder_guard_the_order(engine: Engine) -> None:
    with pytest.raises(InputRefused) as refused:
        await run(engine, "order-saga", order("lamp", 0))
    assert refused.value.path == "/items/0/quantity"
    with pytest.raises(InputRefused) as refused:
        await run(engine, "order-saga", order("lamp", 1, address={**ADDRESS, "country": "DEU"}))
    assert refused.value.path == "/customer/address/country"


async def test_thumbnails_of_an_album(engine: Engine, tmp_path: Path) -> None:
    made = await run(engine, "album-thumbnails", {"album": "alps", "samples": 30, "width": 24})
    assert (made["pictures"], made["failed"]) == (30, 0)
    thumbnails = sorted((tmp_path / "media/thumbnails/24/albums/alps").glob("*.png"))
    assert len(thumbnails) == 30
    assert made["bytes"] == sum(path.stat().st_size for path in thumbnails)
    small = decode(thumbnails[0].read_bytes())
    assert (small.width, small.height) == (24, 16)
    index = json.loads((tmp_path / "media" / made["index"]).read_text())
    assert [entry["key"] for entry in index["entries"]] == [
        f"albums/alps/{number:03d}.png" for number in range(30)
    ]


async def test_a_broken_picture_is_skipped_and_too_many_fail_the_album(
    engine: Engine, tmp_path: Path
) -> None:
    await run(engine, "album-thumbnails", {"album": "alps", "samples": 20})
    album = tmp_path / "media/albums/alps"
    (album / "007.png").write_bytes(b"not a picture")
    made = await run(engine, "album-thumbnails", {"album": "alps"})
    assert (made["pictures"], made["failed"]) == (19, 1)
    index = json.loads((tmp_path / "media" / made["index"]).read_text())
    assert index["skipped"] == ["albums/alps/007.png"]
    (album / "008.png").write_bytes(b"nor this")
    with pytest.raises(InstanceFailed) as failure:
        await run(engine, "album-thumbnails", {"album": "alps"})
    assert failure.value.error["type"] == "images.broken"
