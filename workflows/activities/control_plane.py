"""The activities of the managed-PostgreSQL control plane, on the cluster of `workflows.cluster`.

`cms.*` keeps the records of what customers own, `k8s.*` runs pods and backup jobs, `pg.*` connects.
Each may be called twice with the same idempotency key and then changes nothing more.

`LOCKSTEP_FAIL_PROBE=1` makes every connection fail, so that the roll-back can be seen.
"""

from __future__ import annotations

import os
import zlib

import msgspec

from engine import ActivityContext, ActivityError, activity
from workflows.cluster import cluster, polls_until_ready


class Record(msgspec.Struct, frozen=True):
    """What the CMS knows of an instance; everything but `found` is null when it knows nothing."""

    found: bool
    name: str | None = None
    state: str | None = None
    dsn: str | None = None
    actor_id: str | None = None


class PodStatus(msgspec.Struct, frozen=True):
    """Whether the pod answers."""

    is_ready: bool
    polls: int


class Connections(msgspec.Struct, frozen=True):
    """How to reach the server; without a DNS name `dns_dsn` is null."""

    ip_dsn: str
    dns_dsn: str | None = None


class Server(msgspec.Struct, frozen=True):
    """What answered."""

    version: str


class Pruned(msgspec.Struct, frozen=True):
    """How many records went."""

    removed: int


class BackupJob(msgspec.Struct, frozen=True):
    """A backup that was begun."""

    job_id: str


class BackupStatus(msgspec.Struct, frozen=True):
    """How far a backup is."""

    done: bool
    bytes: int


@activity("cms.create_record")
def create_record(name: str, namespace: str, owner: str, ctx: ActivityContext) -> None:
    """Enter a new instance. A name that is taken is refused."""
    with cluster() as database:
        made = database.execute(
            "INSERT INTO instances VALUES (?, ?, ?, ?, 'creating', '', NULL)"
            " ON CONFLICT DO NOTHING",
            [name, namespace, owner, ctx.idempotency_key],
        )
        if made.rowcount:
            return
        known = database.execute("SELECT made_by FROM instances WHERE name = ?", [name]).fetchone()
    if known["made_by"] != ctx.idempotency_key:
        raise ActivityError(
            f"there is an instance `{name}` already", type="cms.name_taken", retryable=False
        )


@activity("cms.get_instance")
def get_instance(name: str) -> Record:
    """Look an instance up; one that is not there is an answer, not an error."""
    with cluster() as database:
        row = database.execute("SELECT * FROM instances WHERE name = ?", [name]).fetchone()
        if row is None:
            return Record(found=False)
        pod = database.execute(
            "SELECT ip FROM pods WHERE name = ? AND namespace = ?", [name, row["namespace"]]
        ).fetchone()
    return Record(
        found=True,
        name=name,
        state=row["state"],
        dsn=_dsn(pod["ip"]) if pod else _dsn("0.0.0.0"),  # nobody answers there
        actor_id=row["actor_id"],
    )


@activity("cms.set_state")
def set_state(name: str, state: str, message: str) -> None:
    """Say how the instance is."""
    with cluster() as database:
        database.execute(
            "UPDATE instances SET state = ?, message = ? WHERE name = ?", [state, message, name]
        )


@activity("cms.record_actor")
def record_actor(name: str, actor_id: str) -> None:
    """Remember who watches the instance."""
    with cluster() as database:
        database.execute("UPDATE instances SET actor_id = ? WHERE name = ?", [actor_id, name])


@activity("cms.record_health")
def record_health(name: str, healthy: bool, ctx: ActivityContext, error: str | None = None) -> None:
    """Keep the outcome of one check."""
    with cluster() as database:
        database.execute(
            "INSERT OR IGNORE INTO health (made_by, name, healthy, error) VALUES (?, ?, ?, ?)",
            [ctx.idempotency_key, name, int(healthy), error],
        )


@activity("cms.prune_health")
def prune_health(keep: int) -> Pruned:
    """Forget all but the newest `keep` checks of each instance."""
    with cluster() as database:
        gone = database.execute(
            "DELETE FROM health WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
            " (PARTITION BY name ORDER BY id DESC) AS age FROM health) WHERE age > ?)",
            [keep],
        )
    return Pruned(removed=gone.rowcount)


@activity("cms.free_dns_name")
def free_dns_name(name: str) -> None:
    """Give the instance's DNS name back."""
    with cluster() as database:
        database.execute("DELETE FROM dns WHERE name = ?", [name])


@activity("cms.delete_record")
def delete_record(name: str) -> None:
    """Forget the instance."""
    with cluster() as database:
        database.execute("DELETE FROM instances WHERE name = ?", [name])


@activity("k8s.deploy_postgres")
def deploy_postgres(name: str, namespace: str, storage_gb: int) -> None:
    """Ask for a pod and a DNS name. Asking again changes nothing."""
    ip = f"10.0.{zlib.crc32(namespace.encode()) % 256}.{zlib.crc32(name.encode()) % 256}"
    with cluster() as database:
        database.execute(
            "INSERT INTO pods VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING",
            [name, namespace, storage_gb, polls_until_ready(), ip],
        )
        database.execute(
            "INSERT INTO dns VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [f"{name}.{namespace}.example", name, ip],
        )


@activity("k8s.pod_status")
def pod_status(name: str, namespace: str) -> PodStatus:
    """Look at the pod; it becomes ready after some looks."""
    with cluster() as database:
        row = database.execute(
            "UPDATE pods SET polls = polls + 1 WHERE name = ? AND namespace = ? RETURNING *",
            [name, namespace],
        ).fetchone()
    if row is None:
        raise ActivityError(f"there is no pod `{name}`", type="k8s.not_found", retryable=False)
    return PodStatus(is_ready=row["polls"] >= row["ready_after"], polls=row["polls"])


@activity("k8s.connection_strings")
def connection_strings(name: str, namespace: str) -> Connections:
    """How to reach the pod, by address and, when it has one, by name."""
    with cluster() as database:
        pod = database.execute(
            "SELECT ip FROM pods WHERE name = ? AND namespace = ?", [name, namespace]
        ).fetchone()
        host = database.execute("SELECT host FROM dns WHERE name = ?", [name]).fetchone()
    if pod is None:
        raise ActivityError(f"`{name}` has no address yet", type="k8s.not_found")
    return Connections(ip_dsn=_dsn(pod["ip"]), dns_dsn=_dsn(host["host"]) if host else None)


@activity("k8s.delete_postgres")
def delete_postgres(name: str, namespace: str) -> None:
    """Remove the pod; that it is gone already is fine."""
    with cluster() as database:
        database.execute("DELETE FROM pods WHERE name = ? AND namespace = ?", [name, namespace])


@activity("pg.test_connection")
def connect(dsn: str) -> Server:
    """Connect to the server at this address or name and ask its version."""
    if os.environ.get("LOCKSTEP_FAIL_PROBE") == "1":
        raise ActivityError(
            f"{dsn} refused the password", type="pg.authentication_failed", retryable=False
        )
    host = dsn.removeprefix("postgresql://").partition(":")[0]
    with cluster() as database:
        pod = database.execute(
            "SELECT polls, ready_after FROM pods WHERE ip = :host"
            " OR ip = (SELECT ip FROM dns WHERE host = :host)",
            {"host": host},
        ).fetchone()
    if pod is None or pod["polls"] < pod["ready_after"]:
        raise ActivityError(f"nobody answers at {host}", type="pg.unreachable")
    return Server(version="PostgreSQL 17.2")


@activity("pager.alert")
def alert(text: str, ctx: ActivityContext) -> None:
    """Wake somebody up."""
    with cluster() as database:
        database.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?)", [ctx.idempotency_key, text])


@activity("images.create_record")
def create_image_record(name: str, source: str, ctx: ActivityContext) -> None:
    """Enter a new image. A name that is taken is refused."""
    with cluster() as database:
        database.execute(
            "INSERT INTO images VALUES (?, ?, ?, 'creating') ON CONFLICT DO NOTHING",
            [name, source, ctx.idempotency_key],
        )
        known = database.execute("SELECT made_by FROM images WHERE name = ?", [name]).fetchone()
    if known["made_by"] != ctx.idempotency_key:
        raise ActivityError(
            f"there is an image `{name}` already", type="images.name_taken", retryable=False
        )


@activity("images.set_state")
def set_image_state(name: str, state: str) -> None:
    """Say how the image is."""
    with cluster() as database:
        database.execute("UPDATE images SET state = ? WHERE name = ?", [state, name])


@activity("k8s.start_backup")
def start_backup(image: str, source: str) -> BackupJob:
    """Begin to copy the source; beginning again finds the same job."""
    with cluster() as database:
        pod = database.execute("SELECT storage_gb FROM pods WHERE name = ?", [source]).fetchone()
        if pod is None:
            raise ActivityError(
                f"there is no pod `{source}`", type="k8s.not_found", retryable=False
            )
        database.execute(
            "INSERT INTO backups VALUES (?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
            [f"backup-{image}", image, pod["storage_gb"] << 20, polls_until_ready()],
        )
    return BackupJob(job_id=f"backup-{image}")


@activity("k8s.backup_status")
def backup_status(job_id: str) -> BackupStatus:
    """Look how far the backup is."""
    with cluster() as database:
        row = database.execute(
            "UPDATE backups SET polls = polls + 1 WHERE job_id = ? RETURNING *", [job_id]
        ).fetchone()
    if row is None:
        raise ActivityError(f"there is no job `{job_id}`", type="k8s.not_found", retryable=False)
    return BackupStatus(done=row["polls"] >= row["ready_after"], bytes=row["bytes"])


@activity("k8s.delete_backup_job")
def delete_backup_job(image: str) -> None:
    """Remove the finished job."""
    with cluster() as database:
        database.execute("DELETE FROM backups WHERE image = ?", [image])


def _dsn(host: str) -> str:
    return f"postgresql://{host}:5432/postgres"
