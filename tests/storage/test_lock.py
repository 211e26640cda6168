"""One node per file, until its process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import NodeBusy, StorageUnavailable
from engine.storage.sqlite.lock import NodeLock
from engine.storage.url import open_store

HOLDER = """
import sys
from pathlib import Path
from engine.storage.sqlite.lock import NodeLock
lock = NodeLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def hold(database: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_the_message_names_the_holder(database: Path) -> None:
    holder = hold(database)
    lock = NodeLock(database)
    assert lock.taken()
    with pytest.raises(NodeBusy, match=f"process {holder.pid}"):
        lock.acquire()
    assert not lock.held
    end(holder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_ends_with_the_process(database: Path, how: signal.Signals) -> None:
    holder = hold(database)
    holder.send_signal(how)
    holder.communicate()
    lock = NodeLock(database)
    assert not lock.taken()
    lock.acquire()
    lock.release()


def test_a_released_lock_is_free(database: Path) -> None:
    first, second = NodeLock(database), NodeLock(database)
    assert not first.taken()
    first.acquire()
    assert first.held
    assert second.taken()
    with pytest.raises(NodeBusy):
        second.acquire()
    with pytest.raises(NodeBusy):
        first.acquire()
    first.release()
    first.release()
    assert not second.taken()
    second.acquire()
    second.release()


def test_looking_does_not_take(database: Path) -> None:
    first, second = NodeLock(database), NodeLock(database)
    first.acquire()
    for _ in range(3):
        assert second.taken()
    first.release()
    first.acquire()
    first.release()


def test_a_forked_child_does_not_hold_it(database: Path) -> None:
    """A child that outlives the node must not keep the next one out."""
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER.replace(
                "sys.stdin.read()",
                "import os, time\n"
                "child = os.fork()\n"
                "if child == 0:\n    print('child', os.getpid(), flush=True); time.sleep(60)\n"
                "sys.stdin.read()",
            ),
            database,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    child = int(holder.stdout.readline().split()[1])
    try:
        assert NodeLock(database).taken()
        holder.kill()
        holder.wait()
        assert not NodeLock(database).taken()
    finally:
        os.kill(child, signal.SIGKILL)
        holder.communicate()


def test_a_place_that_cannot_be_locked() -> None:
    with pytest.raises(StorageUnavailable, match=r"cannot lock /proc/app\.db"):
        NodeLock(Path("/proc/app.db")).acquire()


async def test_two_names_of_one_file_are_one_store(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "app.db")
    async with (
        open_store(str(tmp_path / "app.db")) as one,
        open_store(str(tmp_path / "link.db")) as two,
    ):
        await one.acquire("one", now=0)
        with pytest.raises(NodeBusy, match=f"process {os.getpid()}"):
            await two.acquire("two", now=0)
        assert (await two.info(now=0)).node_alive


async def test_a_failed_acquire_gives_the_lock_back(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(str(database)) as store:
        with pytest.raises(OverflowError):
            await store.acquire("node", now=2**70)
        assert not (await store.info(now=0)).node_alive
        await store.acquire("node", now=1)
