"""What was acknowledged is there, however the process ended."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.storage.url import open_store

# Commits groups of eight instances for ever; says so after each, never before.
WRITER = """
import asyncio, sys
from engine.storage.records import Message, Send
from engine.storage.url import open_store
from engine.testing.conformance.scene import NOW, born, timer, turn

async def main():
    async with open_store(sys.argv[1]) as store:
        lease = await store.acquire("writer", now=NOW)
        names = [f"{sys.argv[2]}-{number}" for number in range(8)]
        await store.commit(lease, 0, [born(name, open_activities=1) for name in names])
        print("0", flush=True)
        for number in range(1, 1_000_000):
            seq = number + 1
            deltas = [
                turn(
                    name, seq, open_activities=1, timers=(timer(name, seq),),
                    withdrawn=(seq - 1,), sends=(Send(message=Message(names[0], b"m")),),
                )
                for name in names
            ]
            result = await store.commit(lease, number, deltas)
            assert {one.result for one in result.outcomes} == {"applied"}
            print(number, flush=True)

asyncio.run(main())
"""


def run_and_kill(database: Path, round_: int, seconds: float) -> int:
    """The last commit that was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(database), str(round_)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    threading.Timer(seconds, process.kill).start()
    output, errors = process.communicate()
    assert errors == b""
    whole = output[: output.rfind(b"\n") + 1].split()
    return int(whole[-1]) if whole else 0


@pytest.mark.parametrize("round_", range(6))
async def test_killed_between_any_two_instructions(database: Path, round_: int) -> None:
    chance = random.Random(round_)
    acknowledged = run_and_kill(database, round_, chance.uniform(0.01, 0.4))
    raw = sqlite3.connect(database)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()
    async with open_store(str(database)) as store:
        await store.acquire("heir", now=0)
        stored = {}
        for number in range(8):
            name = f"{round_}-{number}"
            pages = await store.history(name, execution=1, limit=1_000_000)
            record = await store.get(name)
            assert record is not None
            firsts = [page.first_seq for page in pages]
            assert firsts == [1, *range(3, len(pages) + 2)]
            assert pages[-1].last_seq == record.last_seq
            assert record.owner is None
            stored[name] = record.last_seq
        assert len(set(stored.values())) == 1, "half a group is there"
        last = stored[f"{round_}-0"] - 2
        # One more commit may have been stored without anybody having been told.
        assert acknowledged <= last <= acknowledged + 1
        [loaded] = await store.load([f"{round_}-0"], now=2**62)
        assert len(loaded.inbox) == 8 * last + (last > 0)
