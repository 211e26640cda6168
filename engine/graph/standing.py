"""Standings: what is known of a step at a place of the file that reads it.

A step stands surely, when every way to the place ran it to success; or in doubt, for a reason that
can be told. No standing at all means that no way to the place can have run it.

Rule 1: a doubt knows the ids whose status settles it. A condition or an expression that asks for
one of them has thought of the case, and the doubt is dropped there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from engine.graph.outline import Site


@dataclass(frozen=True)
class Doubt:
    """Why a step may be missing. `mend` is what can be done where the reason stands."""

    why: str
    settles: frozenset[str]
    mend: str | None = None


@dataclass(frozen=True)
class Standing:
    """`recorded`: `steps.<id>.status` is there whatever happened; `output` is, without a doubt."""

    site: Site
    doubt: Doubt | None = None
    recorded: bool = True

    def doubted(self, doubt: Doubt, *, recorded: bool = False) -> Standing:
        """This standing, where the step may also be missing for that reason."""
        return replace(self, doubt=self.doubt or doubt, recorded=self.recorded and recorded)


Standings: TypeAlias = dict[str, Standing]
Reason: TypeAlias = Callable[["Site"], Doubt]


class Ground:
    """The standings at one place: a layer over those of the block around it."""

    def __init__(self, outer: Ground | None = None) -> None:
        self._outer = outer
        self.own: Standings = {}

    def find(self, step_id: str) -> Standing | None:
        """The nearest standing of that id."""
        ground: Ground | None = self
        while ground is not None:
            if step_id in ground.own:
                return ground.own[step_id]
            ground = ground._outer
        return None

    def layer(self, standings: Standings | None = None) -> Ground:
        """A place further inside, where these stand too."""
        inside = Ground(self)
        inside.own.update(standings or {})
        return inside


@dataclass(frozen=True)
class Way:
    """One way through a block: what it ran, and whether it comes out at the end of the block."""

    standings: Standings
    ends: bool
    reason: Reason  # why a step of another way may be missing on this one


def doubted(standings: Standings, reason: Reason) -> Standings:
    """All of these, in doubt."""
    return {name: found.doubted(reason(found.site)) for name, found in standings.items()}


def join(ways: Iterable[Way]) -> Standings:
    """What is known after the ways have met; a way that does not come out says nothing."""
    ways = tuple(ways)
    coming = [way for way in ways if way.ends]
    known: Standings = {}
    for way in ways:
        for name, standing in way.standings.items():
            known.setdefault(name, standing)
    for name, standing in known.items():
        for way in coming or ways:
            there = way.standings.get(name)
            if there is None:
                standing = standing.doubted(way.reason(standing.site))
            elif there.doubt is not None:
                standing = standing.doubted(there.doubt, recorded=there.recorded)
        known[name] = standing
    return known
