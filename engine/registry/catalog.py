"""The catalog: which versions of which workflows are deployed, and which one a start gets.

Pure data; it is filled from the store. A version is in one of four states:

| state | `latest`, ranges, weights | asked for exactly | running instances |
|---|---|---|---|
| released | chosen | given | go on |
| deprecated | chosen, when nothing released fits | given | go on |
| yanked | never | refused | go on |
| pruned | never | refused | there are none |

Rule 1: what a caller asks for beats the policy of the name; the policy is for those who do not ask.
Rule 2: `latest` is never a prerelease; a range gives one only if it names one of the same numbers.
Rule 3: the answer depends on the catalog, the question and the instance id; on nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, assert_never

import msgspec

from engine.definition.spell import suggest
from engine.errors import UnknownVersion, UnknownWorkflow, VersionWithdrawn
from engine.registry.policy import LATEST, Exact, InRange, Latest, Policy, Weighted, choose
from engine.values.version import Version, VersionError, VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

State: TypeAlias = Literal["released", "deprecated", "yanked", "pruned"]
WITHDRAWN: Final[tuple[State, ...]] = ("yanked", "pruned")


class Resolved(msgspec.Struct, frozen=True):
    """The version a start gets, and why, in plain words."""

    name: str
    version: str
    revision: str
    reason: str


class Entry(msgspec.Struct, frozen=True):
    """One deployed version; `reason` is why it has its state."""

    version: Version
    text: str
    revision: str
    state: State = "released"
    reason: str | None = None

    @property
    def offered(self) -> bool:
        """Whether anybody gets it who does not ask for it by number."""
        return self.state not in WITHDRAWN


class Catalog:
    """Deployed versions by name, with the policies. Not changed any more once it is in use."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, Entry]] = {}
        self._policies: dict[str, Policy] = {}
        self._resolved: dict[tuple[str, str | None], Resolved] = {}

    # -- filling --------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        version: str,
        revision: str,
        *,
        state: State = "released",
        reason: str | None = None,
    ) -> None:
        """Make a deployed version known; the last word on its state counts."""
        entry = Entry(parse_version(version), version, revision, state, reason)
        self._names.setdefault(name, {})[version] = entry
        self._resolved.clear()

    def set_policy(self, name: str, policy: Policy) -> None:
        """Set the policy of a name, which need not be deployed yet."""
        self._policies[name] = policy
        self._resolved.clear()

    # -- looking --------------------------------------------------------------------------------

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names)

    def versions(self, name: str) -> list[str]:
        """The versions of a name that can be started, lowest first."""
        return [one.text for one in self.entries(name) if one.offered]

    def entries(self, name: str) -> list[Entry]:
        """All versions of a name, lowest first."""
        return sorted(self._names.get(name, {}).values(), key=lambda one: (one.version, one.text))

    def entry(self, name: str, version: str) -> Entry | None:
        """One version."""
        return self._names.get(name, {}).get(version)

    def policy(self, name: str) -> Policy:
        """The policy of a name; `latest` when none was set."""
        return self._policies.get(name, LATEST)

    def revisions(self) -> Iterator[str]:
        """Every revision whose content is kept."""
        for entries in self._names.values():
            for entry in entries.values():
                if entry.state != "pruned":
                    yield entry.revision

    # -- choosing -------------------------------------------------------------------------------

    def resolve(self, name: str, wanted: str | None = None, *, instance_id: str = "") -> Resolved:
        """The version that `wanted` means now: exact, a range, `latest`, or None for the policy.

        Raises:
            UnknownWorkflow: the name is not deployed.
            UnknownVersion: nothing deployed satisfies what was asked, or the policy.
            VersionWithdrawn: it means one version exactly, and that is yanked or pruned.
        """
        known = self._resolved.get((name, wanted))
        if known is not None:
            return known
        if name not in self._names:
            raise UnknownWorkflow(name, suggestions=suggest(name, self._names))
        if wanted is not None:
            found = self._asked(name, wanted)
        else:
            policy = self.policy(name)
            if isinstance(policy, Weighted):
                return self._weighted(name, policy, instance_id)
            found = self._by_policy(name, policy)
        self._resolved[name, wanted] = found
        return found

    def _asked(self, name: str, wanted: str) -> Resolved:
        reason = "asked for latest" if wanted.strip() == "latest" else f"asked for {wanted}"
        try:
            asked = VersionRange.parse(wanted)
        except VersionError as error:
            raise UnknownVersion(name, wanted, known=self.versions(name)) from error
        if asked.exact is not None:
            return self._exactly(name, wanted.strip().removeprefix("=").strip(), reason)
        return self._best(name, asked, reason)

    def _by_policy(self, name: str, policy: Latest | Exact | InRange) -> Resolved:
        match policy:
            case Latest():
                return self._best(name, VersionRange.parse("latest"), "policy latest")
            case Exact():
                return self._exactly(name, policy.version, f"policy exact {policy.version}")
            case InRange():
                asked = VersionRange.parse(policy.range)
                return self._best(name, asked, f"policy range {policy.range}")
            case _:
                assert_never(policy)

    def _exactly(self, name: str, text: str, reason: str) -> Resolved:
        entries = self._names[name]
        entry = entries.get(text)
        if entry is None:  # build metadata never counts
            wanted = parse_version(text)
            same = [one for one in entries.values() if one.version == wanted]
            entry = min(same, key=lambda one: (not one.offered, one.text), default=None)
        if entry is None:
            raise UnknownVersion(name, text, known=self.versions(name))
        if not entry.offered:
            raise VersionWithdrawn(name, entry.text, entry.state, entry.reason)
        return Resolved(name, entry.text, entry.revision, reason)

    def _best(self, name: str, asked: VersionRange, reason: str) -> Resolved:
        fitting = [one for one in self._names[name].values() if asked.matches(one.version)]
        best = _highest(one for one in fitting if one.state == "released") or _highest(
            one for one in fitting if one.offered
        )
        if best is None:
            raise UnknownVersion(name, asked.text, known=self.versions(name))
        return Resolved(name, best.text, best.revision, reason)

    def _weighted(self, name: str, policy: Weighted, instance_id: str) -> Resolved:
        entries = self._names[name]
        there = tuple(
            (version, weight)
            for version, weight in policy.choices
            if weight > 0 and (entry := entries.get(version)) is not None and entry.offered
        )
        if not there:
            raise UnknownVersion(name, policy.text, known=self.versions(name))
        version, share = choose(there, instance_id)
        reason = f"policy weighted {share} % {version}"
        return Resolved(name, version, entries[version].revision, reason)


def _highest(entries: Iterable[Entry]) -> Entry | None:
    # Of those that differ in build metadata alone, which has no order, the last in that of texts.
    return max(entries, key=lambda one: (one.version, one.text), default=None)
