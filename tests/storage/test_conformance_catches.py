"""The cases catch wrong stores: each line breaks a statement, a case of that promise must fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from engine.storage.sqlite.queries import SQL
from engine.storage.url import open_store
from engine.testing.conformance import CASES, play, run

BREAKS = [
    # promise, statement, what stands there, what a wrong store would have
    ("G3", "turn", "AND epoch = ?", "AND ? IS NOT NULL"),
    ("G3", "turn", "owner = ?", "? IS NOT NULL"),
    ("G3", "turn", "AND execution = ?", "AND ? IS NOT NULL"),
    ("G3", "turn", "AND last_seq = ?", "AND ? IS NOT NULL"),
    ("G3", "settle", "AND epoch = ?", "AND ? IS NOT NULL"),
    ("G3", "settle", "AND execution = ?", "AND ? IS NOT NULL"),
    ("G3", "suspend", ", owner = NULL", ""),
    ("G3", "rollback_delta", "ROLLBACK TO delta", "SELECT 1"),
    ("G4", "pages", "AND last_seq > :after", "AND :after IS NOT NULL"),
    ("G4", "pages", "<= :after + 1", "<= :after"),
    ("G4", "pages", "LIMIT :limit", "LIMIT max(:limit, 1000)"),
    ("G5", "record_commit", "token = ?", "token = ? + 1"),
    ("G6", "inbox", "ORDER BY m.visible_at, m.id", "ORDER BY m.id"),
    ("G6", "inbox", "ORDER BY m.visible_at, m.id", "ORDER BY m.visible_at, m.id DESC"),
    ("G6", "due_messages", "ORDER BY m.visible_at, m.id", "ORDER BY m.id"),
    ("G6", "due_messages", "AND m.id > ?", "AND ? IS NOT NULL"),
    ("G6", "due_messages", "i.owner = ?", "? IS NOT NULL"),
    ("G6", "consume", "AND instance = (", "AND 0 < (SELECT 1 WHERE ? <> '') OR 0 = ("),
    ("G7", "inbox", "m.visible_at <= :now", "m.visible_at <= :now + 1"),
    ("G7", "inbox", "m.visible_at <= :now", "m.visible_at < :now"),
    ("G7", "due_messages", "m.visible_at <= ?", "m.visible_at < ?"),
    ("G7", "next_due", "visible_at > ?", "visible_at >= ?"),
    ("G7", "next_due", "min(", "max("),
    ("G8", "withdraw", "AND execution = ?", "AND ? IS NOT NULL"),
    ("G8", "withdraw", "AND token = ?", "AND ? IS NOT NULL"),
    ("G8", "withdraw", "instance = (", "0 < ("),
    ("G9", "create_instance", "NOTHING", "UPDATE SET workflow = excluded.workflow"),
    ("G9", "create_instance", "NOTHING", "UPDATE SET status = 'pending'"),
    ("G9", "replace_instance", "error = NULL", "error = error"),
    ("G9", "replace_instance", "created_at = ?10", "created_at = created_at"),
    ("G13", "archive_finished", "key, execution, key", "key, execution, key + 1"),
    ("G13", "move_executions", "WHERE instance = ?", "WHERE ? > 0"),
    ("G10", "address", "SELECT key, status", "SELECT key, 'running'"),
    ("G10", "address", "status, execution", "status, NULL"),
    ("G11", "claim", "attempts = attempts + 1", "attempts = attempts"),
    ("G11", "claim", "epoch = epoch + 1", "epoch = epoch"),
    ("G11", "claim", "owner = ?", "owner = ? + 1"),
    ("G11", "turn", "attempts = attempts * ?", "attempts = attempts + 0 * ?"),
    ("G11", "turn", "attempts = attempts * ?", "attempts = 0 * ?"),
    ("G11", "settle", "attempts = attempts * ?", "attempts = attempts + 0 * ?"),
    ("G11", "release_all", "attempts = max(attempts - 1, 0)", "attempts = attempts"),
    ("G11", "release_all", "max(attempts - 1, 0)", "attempts - 1"),
    ("G11", "resume", "attempts = 0, ", ""),
    ("G11", "resume", "AND status = 'suspended'", ""),
    ("G3", "remove_nodes", "DELETE FROM nodes", "SELECT 1"),
    ("G12", "disown_all", "status IN ('pending', 'running')", "status = 'pending'"),
    ("G12", "claimable_due", "m.visible_at <= :now", "m.visible_at <= :now + 1"),
    ("G12", "claimable_due", "m.visible_at <= :now", "m.visible_at < :now"),
    ("G12", "claimable_open", "LIMIT :limit", "LIMIT 2"),
    ("G12", "claimable_due", "LIMIT :limit", "LIMIT 0 * :limit"),
    ("G12", "claimable_due", "i.status IN ('pending', 'running')", "i.status = 'pending'"),
    ("G12", "stranded", "AND open_waits = 0", ""),
    ("G12", "stranded", "AND open_activities = 0", ""),
    ("G12", "stranded", "AND NOT EXISTS", "AND 1 OR NOT EXISTS"),
    ("G13", "drop_execution_messages", "AND execution = ?", "AND ? IS NOT NULL"),
    ("G13", "drop_execution_messages", "DELETE FROM inbox\nWHERE", "DELETE FROM inbox WHERE 0 AND"),
    ("G13", "archive_continued", "'continued'", "status"),
    ("G13", "archive_continued", "workflow, version, revision", "workflow, workflow, revision"),
    ("G13", "continue", "started_at = ?", "started_at = started_at + 0 * ?"),
    ("G14", "drop_inbox", "WHERE", "WHERE 0 AND"),
    ("G14", "drop_inbox", "WHERE instance =", "WHERE 0 <"),
    ("G15", "deployment", "name = ? AND version = ?", "name = ? AND version = ? AND 0"),
    ("G15", "deployments", "ORDER BY key", "ORDER BY version"),
    ("G24", "add_revision", "WHERE length(graph) = 0", "WHERE 0"),
    ("G20", "set_policy", "policy = excluded.policy", "policy = policies.policy"),
    ("G21", "raise_catalog", "version + 1", "version + 0"),
    ("G21", "catalog_rows", "ORDER BY key", "ORDER BY key DESC"),
    ("G22", "audit", "id > ?", "id >= ?"),
    ("G22", "audit_of", "name = ?", "name >= ?"),
    ("G23", "version_report", "'pending', 'running', 'suspended'", "'pending', 'running'"),
    ("G23", "version_report", "AND workflow = :name", "AND workflow <> ''"),
    ("G23", "version_report", "open_activities = 0", "open_waits = 0"),
    ("G23", "version_report", "min(started_at)", "min(created_at)"),
    ("G23", "version_report", "p.state <> 'pruned'", "0"),
    ("G24", "instances_of_version", "'suspended', 'completed'", "'completed'"),
    ("G24", "instances_of_version", "'completed', ", ""),
    ("G24", "instances_of_version", "version = :version", "version >= :version"),
    ("G24", "executions_of_version", "e.version = :version", "e.version > :version"),
    ("G24", "bound_and_running", "i.workflow = p.name", "i.workflow <> p.name"),
    ("G24", "bound_and_running", "AND EXISTS (", "AND EXISTS (SELECT 1 UNION "),
    ("G24", "policy_names", "version = ?", "version <> ?"),
    ("G24", "drop_policy_versions", "WHERE name = ?", "WHERE name <> ?"),
    ("G24", "drop_graph", "AND NOT EXISTS", "AND EXISTS"),
    ("G24", "create_instance", "WHERE NOT EXISTS", "WHERE 1 OR NOT EXISTS"),
    ("G24", "continue", "AND NOT EXISTS", "AND 0 <> EXISTS"),
    ("G25", "claimable_open", "AND (:levels", "AND (1 OR :levels"),
    ("G25", "claimable_due", "AND (:levels", "AND (1 OR :levels"),
    ("G25", "unservable", "NOT IN", "IN"),
    ("G25", "unservable", "ORDER BY key LIMIT", "ORDER BY key DESC LIMIT"),
    ("G16", "prunable", "finished_at < ?", "finished_at <= ?"),
    ("G16", "prunable", "ORDER BY finished_at", "ORDER BY finished_at DESC"),
    ("G16", "prunable", "LIMIT ?", "LIMIT 0 * ? + 9"),
    ("G16", "prune_pages", "SELECT :key UNION ALL", "SELECT :key WHERE 0 UNION ALL"),
    ("G16", "prune_pages", "WHERE instance = :key", "WHERE instance = :key AND 0"),
    ("G16", "prune_executions", "WHERE", "WHERE 0 AND"),
    ("G17", "list_all", "ORDER BY key DESC", "ORDER BY updated_at DESC"),
    ("G17", "list_kind", "version = :version", "version >= :version"),
    ("G17", "list_kind", "AND key < :before", ""),
    ("G17", "list_prefix", "id >= :prefix", "id > :prefix"),
    ("G17", "list_prefix", "AND id < :prefix_end", ""),
    ("G17", "list_prefix", "parent_id = :parent)", "1)"),
    ("G17", "list_children", "workflow = :workflow)", "1)"),
    ("G17", "snapshot", "AND execution = ?", "AND ? < 0"),
    ("G17", "save_snapshot", ">= (snapshots", "< (snapshots"),
    ("G17", "save_snapshot", "WHERE (excluded", "WHERE 1 OR (excluded"),
    ("G17", "counts", "count(*)", "1"),
    ("G18", "rebase", "AND last_seq = ?", "AND ? IS NOT NULL"),
    ("G18", "rebase", "AND execution = ?", "AND ? IS NOT NULL"),
    ("G18", "rebase", "AND workflow = ?", "AND ? IS NOT NULL"),
    ("G18", "rebase", "AND semantics = ?", "AND ? IS NOT NULL"),
    ("G18", "rebase", "owner = NULL", "owner = owner"),
    ("G18", "rebase", "epoch = epoch + 1", "epoch = epoch"),
    ("G18", "rebase", "('running', 'suspended')", "('running', 'suspended', 'completed')"),
    ("G18", "rebase", "('running', 'suspended')", "('running', 'suspended', 'pending')"),
    ("G18", "rebase", "('running', 'suspended')", "('running')"),
    ("G19", "for_development", "AND NOT EXISTS (SELECT 1 FROM deployments)", ""),
    ("G19", "for_development", "AND NOT EXISTS (SELECT 1 FROM instances)", ""),
]


@pytest.mark.parametrize(
    ("promise", "name", "right", "wrong"), BREAKS, ids=lambda value: value[:24].strip()
)
async def test_a_broken_statement_is_noticed(
    promise: str, name: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert right in SQL[name], "the statement has changed: so must this line"
    monkeypatch.setitem(SQL, name, SQL[name].replace(right, wrong))  # type: ignore[arg-type]
    for case in CASES:
        if promise in case.guarantees:
            try:
                await play(case, _in_memory)
            except Exception:  # noqa: BLE001 (a wrong store may raise anything)
                return
    pytest.fail(f"no case of {promise} noticed `{wrong}` in `{name}`")


async def test_a_run_reports_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SQL, "counts", SQL["counts"].replace("count(*)", "1"))  # type: ignore[arg-type]
    some = [case for case in CASES if case.topic == "reads"]
    results = await run(_in_memory, some)
    assert [result.case for result in results] == some
    failed = [result.case.name for result in results if result.error is not None]
    assert failed == ["instances_are_counted_by_kind"]


class _Memory:
    shared = False

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def open(self) -> None:
        self.store = await self._stack.enter_async_context(open_store("sqlite://:memory:"))

    async def other(self):
        return self.store

    async def crash(self):
        return self.store


@asynccontextmanager
async def _in_memory() -> AsyncIterator[_Memory]:
    async with AsyncExitStack() as stack:
        subject = _Memory(stack)
        await subject.open()
        yield subject
