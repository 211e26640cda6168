"""Who takes part: a table of contenders with the interpreter each of them needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """family: what `--contenders` selects beside the name; module: in benchmarks.contenders."""

    name: str
    family: str
    module: str
    peer: bool = False
    tuned: bool = False


CONTENDERS = (
    Contender("raw", "raw", "raw"),
    Contender("skeleton", "skeleton", "skeleton"),
    Contender("lockstep", "lockstep", "lockstep"),
    Contender("duroxide", "duroxide", "duroxide_peer", peer=True),
    Contender("duroxide tuned", "duroxide", "duroxide_peer", peer=True, tuned=True),
    Contender("dbos", "dbos", "dbos_peer", peer=True),
    Contender("dbos tuned", "dbos", "dbos_peer", peer=True, tuned=True),
)

# The raw limit and the skeleton keep nothing to wake up, to signal or to recover.
STEPS_ONLY = frozenset({"hello", "chain", "fanout", "latency", "long"})


def takes_part(contender: Contender, workload: str) -> bool:
    return contender.family not in ("raw", "skeleton") or workload in STEPS_ONLY
