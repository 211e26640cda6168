"""The client's part for versions: what a start gets, and what becomes of the versions themselves.

Every change is one transaction and stands in the audit with actor, time and commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputRefused, UnknownVersion, UnknownWorkflow, VersionWithdrawn
from engine.interpreter import semantics
from engine.registry.catalog import Catalog
from engine.registry.policy import LATEST, PolicyError, parse_policy
from engine.storage.versions import ChangeSet, PolicyChange, StateChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.client.models import InstanceInfo
    from engine.client.programs import Programs
    from engine.client.transport import Transport
    from engine.registry.policy import Policy
    from engine.storage.provider import Provider
    from engine.storage.versions import AuditRow, Changed, VersionReport


class VersionClient:
    """What `Client` can do with versions."""

    _transport: Transport
    _provider: Provider
    _programs: Programs
    _actor: str | None

    async def change(self, change: ChangeSet) -> Changed:
        """Apply releases, policies and states together, or nothing of it.

        Raises:
            VersionLocked: a version is deployed with another revision.
            UnknownVersion, VersionWithdrawn: a state or policy is for a version that is not there.
            StaleState: `expected_version` is not that of the catalogue any more.
        """
        from engine.client import deploying

        done = await deploying.apply_change(self._provider, change)
        await self._programs.refresh()
        return done

    async def catalog(self) -> tuple[int, Catalog]:
        """The newest catalogue and its version, to be given to `change` as the expected one."""
        await self._programs.refresh()
        return self._programs.version or 0, self._programs.catalog

    async def policy(self, name: str) -> Policy:
        """The version policy of a name; `latest` when none was set. Raises `UnknownWorkflow`."""
        return (await self._known(name)).policy(name)

    async def set_policy(
        self, name: str, policy: str | dict[str, int] | Policy, *, commit: str | None = None
    ) -> None:
        """Say which version those get who do not ask; running executions are not touched.

        Args:
            name: the workflow.
            policy: `latest`, a version, a range, or two versions with their weights.
            commit: the commit of the repository that says so.

        Raises:
            InputRefused: this is no policy.
            UnknownWorkflow, UnknownVersion: nothing deployed fits it.
            VersionWithdrawn: it names a version that is yanked or pruned.
        """
        try:
            parsed = parse_policy(policy) if isinstance(policy, (str, dict)) else policy
        except PolicyError as error:
            raise InputRefused("policy", "", error.why) from error
        catalog = await self._known(name)
        for version in parsed.names:
            entry = catalog.entry(name, version)
            if entry is None:
                raise UnknownVersion(name, version, known=catalog.versions(name))
            if not entry.offered:
                raise VersionWithdrawn(name, version, entry.state, entry.reason)
        trial = Catalog()
        for entry in catalog.entries(name):
            trial.add(name, entry.text, entry.revision, state=entry.state, reason=entry.reason)
        trial.set_policy(name, parsed)
        if parsed != LATEST:
            trial.resolve(name)
        text = None if parsed == LATEST else parsed.text
        changed = PolicyChange(name, text, parsed.names)
        await self._change(commit, policies=(changed,))

    async def deprecate(
        self, name: str, version: str, reason: str | None = None, *, commit: str | None = None
    ) -> None:
        """Mark a version as one to leave: it is chosen only where nothing else fits."""
        changed = StateChange(name, version, "deprecated", reason)
        await self._change(commit, states=(changed,))

    async def yank(
        self, name: str, version: str, reason: str | None = None, *, commit: str | None = None
    ) -> None:
        """Let nobody start a version any more; what runs on it goes on.

        Raises `UnknownVersion`, and `VersionWithdrawn` for one that is pruned.
        """
        await self._change(commit, states=(StateChange(name, version, "yanked", reason),))

    async def unyank(
        self, name: str, version: str, reason: str | None = None, *, commit: str | None = None
    ) -> None:
        """Take back `yank` or `deprecate`: the version is released again."""
        await self._change(commit, states=(StateChange(name, version, "released", reason),))

    async def version_report(self, name: str) -> list[VersionReport]:
        """How each version of a name stands, in order of deployment; one snapshot."""
        return await self._provider.version_report(name)

    async def prune_version(self, name: str, version: str, *, commit: str | None = None) -> None:
        """Remove the content of a version for ever; its row stays, as `pruned`.

        Raises:
            UnknownVersion: there is no such version.
            VersionInUse: `.references` says by what.
        """
        now = self._transport.clock.now()
        await self._provider.prune_version(name, version, at=now, actor=self._actor, commit=commit)
        await self._programs.refresh()

    async def audit(
        self, name: str | None = None, *, after: int = 0, limit: int = 1000
    ) -> list[AuditRow]:
        """Who changed what (of one name), in order; `after` is the last id seen."""
        return await self._provider.audit(name, after=after, limit=limit)

    async def unservable(
        self, levels: Sequence[int] | None = None, *, limit: int = 100
    ) -> list[InstanceInfo]:
        """Instances that have not ended and need another semantics level than these.

        `levels`: those that the live nodes claim; None means those of this build.
        """
        from engine.client.reading import info_of

        known = semantics.SUPPORTED if levels is None else levels
        return [info_of(one) for one in await self._provider.unservable(known, limit=limit)]

    async def _known(self, name: str) -> Catalog:
        await self._programs.refresh()
        catalog = self._programs.catalog
        if name not in catalog:
            raise UnknownWorkflow(name)
        return catalog

    async def _change(
        self,
        commit: str | None,
        *,
        policies: tuple[PolicyChange, ...] = (),
        states: tuple[StateChange, ...] = (),
    ) -> None:
        await self.change(
            ChangeSet(
                at=self._transport.clock.now(),
                actor=self._actor,
                commit=commit,
                policies=policies,
                states=states,
            )
        )
