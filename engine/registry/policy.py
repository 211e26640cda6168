"""Version policies: which version of a name a start gets when it does not ask for one.

::

    latest                        the highest release that is not withdrawn (the default)
    1.2.0                         exactly this one
    ^1, ~1.2, >=1.2 <2, 1.x       the highest in a range
    {1.2.0: 90, 1.3.0: 10}        one of two, by weight

Rule 1: a weighted choice is a function of the instance id alone, so that a start that is repeated
gets the version it got before, on whatever node.
Rule 2: `text` and `parse_policy` are inverse; a store keeps the text and reads nothing in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from engine.values.digest import digest
from engine.values.version import VersionError, VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.values.json import Json

_FORMS: Final = (
    "a policy is `latest`, a version, a range such as `^1`, or two versions with their weights"
)
_HASH_DIGITS: Final = 16  # of the digest of the id: 64 bits, far more than any sum of weights
_MOST_WEIGHT: Final = 1_000_000


class Latest(msgspec.Struct, frozen=True):
    """The highest release that is not withdrawn."""

    @property
    def text(self) -> str:
        """How it is written."""
        return "latest"

    @property
    def names(self) -> tuple[str, ...]:
        """The versions it names exactly."""
        return ()


class Exact(msgspec.Struct, frozen=True):
    """One version."""

    version: str

    @property
    def text(self) -> str:
        """How it is written."""
        return self.version

    @property
    def names(self) -> tuple[str, ...]:
        """The versions it names exactly."""
        return (self.version,)


class InRange(msgspec.Struct, frozen=True):
    """The highest of a range that is not withdrawn."""

    range: str

    @property
    def text(self) -> str:
        """How it is written."""
        return self.range

    @property
    def names(self) -> tuple[str, ...]:
        """The versions it names exactly."""
        return ()


class Weighted(msgspec.Struct, frozen=True):
    """One of two versions; `choices` are (version, weight), in the order they are written."""

    choices: tuple[tuple[str, int], tuple[str, int]]

    @property
    def text(self) -> str:
        """How it is written: JSON."""
        return json.dumps(dict(self.choices))

    @property
    def names(self) -> tuple[str, ...]:
        """The versions it names exactly."""
        return tuple(version for version, _ in self.choices)


Policy: TypeAlias = Latest | Exact | InRange | Weighted

LATEST: Final = Latest()


class PolicyError(ValueError):
    """This is no version policy."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(value, why)
        self.value = value
        self.why = why

    def __str__(self) -> str:
        return f"`{self.value}` is no version policy: {self.why}"


def parse_policy(value: Json | Mapping[str, int]) -> Policy:
    """Read a policy from its text, or from a mapping of two versions to their weights.

    Raises:
        PolicyError: it is none of the forms above.
    """
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            raise PolicyError(value, _FORMS) from None
    if isinstance(value, dict):
        return _weighted(value)
    if not isinstance(value, str):
        raise PolicyError(value, _FORMS)
    text = value.strip()
    if text == "latest":
        return LATEST
    try:
        parsed = VersionRange.parse(text)
    except VersionError:
        raise PolicyError(value, _FORMS) from None
    # `exact` of a range loses build metadata, and a version is named by its whole text.
    return Exact(text.removeprefix("=").strip()) if parsed.exact else InRange(text)


def _weighted(value: Mapping[str, Json] | Mapping[str, int]) -> Weighted:
    choices: list[tuple[str, int]] = []
    for version, weight in value.items():
        try:
            parse_version(version)
        except VersionError as error:
            raise PolicyError(dict(value), str(error)) from None
        if not isinstance(weight, int) or isinstance(weight, bool):
            raise PolicyError(dict(value), f"the weight of {version} is no integer")
        if not 0 <= weight <= _MOST_WEIGHT:
            raise PolicyError(dict(value), f"the weight of {version} is not in 0..{_MOST_WEIGHT}")
        choices.append((version, weight))
    if len(choices) != 2:
        raise PolicyError(dict(value), f"two versions are weighed, not {len(choices)}")
    if sum(weight for _, weight in choices) == 0:
        raise PolicyError(dict(value), "one weight at least is more than 0")
    return Weighted((choices[0], choices[1]))


def choose(choices: tuple[tuple[str, int], ...], instance_id: str) -> tuple[str, int]:
    """The version of a weighted choice and its share in per cent.

    `choices`: not empty, weights not all 0.
    """
    total = sum(weight for _, weight in choices)
    point = int(digest(instance_id.encode())[:_HASH_DIGITS], 16) % total
    for version, weight in choices:
        if point < weight:
            return version, round(100 * weight / total)
        point -= weight
    raise AssertionError(choices)
