"""Workflow versions and ranges of them.

A version is SemVer 2.0.0: three numbers, an optional prerelease, optional build metadata that never
counts. A range is a set of comparators that must all hold, with the meaning npm gives it
(docs.npmjs.com, "semver"): `^1.2`, `~1.2`, `>=1.2 <2`, `1.x`, `*`; `latest` is the highest release.

Rule 1: a prerelease satisfies a range only when the range names a prerelease of the same
major.minor.patch; so nobody gets one unasked.
Rule 2: which versions exist, are yanked or are allowed is the registry's business, not ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from semver import Version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["Part", "Version", "VersionError", "VersionRange", "next_free", "parse_version"]

Part: TypeAlias = Literal["major", "minor", "patch"]
Operator: TypeAlias = Literal["<", "<=", ">", ">=", "="]

# npm refuses longer ones too; it keeps the numbers small enough to compare at once.
MAX_LENGTH: Final = 256

_VERSIONS: Final = "a version is three numbers, like `1.2.3` or `1.2.3-rc.1`"
_RANGES: Final = "a range is like `1.2.3`, `^1.2`, `~1.2`, `>=1.2 <2`, `1.x`, `*` or `latest`"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_TERM = re.compile(
    rf"(?P<operator>\^|~|>=|<=|>|<|=)?\s*"
    rf"(?P<major>{_NUMBER}|[xX*])"
    rf"(?:\.(?P<minor>{_NUMBER}|[xX*])"
    rf"(?:\.(?P<patch>{_NUMBER}|[xX*])"
    rf"(?:-(?P<prerelease>[0-9A-Za-z.-]+))?"
    rf"(?:\+[0-9A-Za-z.-]+)?)?)?"
    rf"(?=\s|$)"
)


class VersionError(ValueError):
    """A text is neither the version nor the range it stands for."""

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(text, expected)
        self.text = text
        self.expected = expected

    def __str__(self) -> str:
        return f"`{self.text}` is not understood: {self.expected}"


def parse_version(text: str) -> Version:
    """Read an exact version.

    Raises:
        VersionError: it is not SemVer.
    """
    if len(text) > MAX_LENGTH:
        raise VersionError(text, f"a version has at most {MAX_LENGTH} characters")
    try:
        return Version.parse(text)
    except ValueError as error:
        raise VersionError(text, f"{_VERSIONS}{_nearest(text)}") from error


def _nearest(text: str) -> str:
    """How to write what is almost a version: `1.20`, `v1.2.3`, `1.02.0`."""
    almost = re.fullmatch(r"v?([0-9]+(?:\.[0-9]+){0,2})", text)
    if almost is None:
        return ""
    numbers = [str(int(number)) for number in almost[1].split(".")]
    return f"; write `{'.'.join([*numbers, '0', '0'][:3])}`"


@dataclass(frozen=True, slots=True)
class Comparator:
    """One bound: `operator` and the version it compares with."""

    operator: Operator
    bound: Version

    def holds(self, version: Version) -> bool:
        order = version.compare(self.bound)
        match self.operator:
            case "=":
                return order == 0
            case "<":
                return order < 0
            case "<=":
                return order <= 0
            case ">":
                return order > 0
            case ">=":
                return order >= 0


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A set of versions. `comparators` all hold for a member; none at all means any release."""

    text: str
    comparators: tuple[Comparator, ...] = ()

    @staticmethod
    def parse(text: str) -> VersionRange:
        """Read a range.

        Raises:
            VersionError: it is not one of the forms above.
        """
        stripped = text.strip()
        if stripped == "latest":
            return VersionRange(stripped)
        if not stripped or len(stripped) > MAX_LENGTH:
            raise VersionError(text, _RANGES)
        comparators: list[Comparator] = []
        position = 0
        while position < len(stripped):
            term = _TERM.match(stripped, position)
            if term is None:
                raise VersionError(text, _RANGES)
            comparators.extend(_comparators(text, term))
            position = term.end()
            position += len(stripped[position:]) - len(stripped[position:].lstrip())
        return VersionRange(stripped, tuple(comparators))

    @property
    def exact(self) -> Version | None:
        """The one version this range names, if it names exactly one."""
        if len(self.comparators) == 1 and self.comparators[0].operator == "=":
            return self.comparators[0].bound
        return None

    def matches(self, version: Version) -> bool:
        if not all(comparator.holds(version) for comparator in self.comparators):
            return False
        return version.prerelease is None or any(
            comparator.bound.prerelease is not None and _core(comparator.bound) == _core(version)
            for comparator in self.comparators
        )

    def best(self, versions: Iterable[Version]) -> Version | None:
        """The highest of `versions` that is in this range."""
        return max((version for version in versions if self.matches(version)), default=None)

    def __str__(self) -> str:
        return self.text


def next_free(version: Version, taken: Collection[Version], part: Part = "patch") -> Version:
    """The first version after `version`, raised at `part`, that is not `taken`."""
    names = {_identity(one) for one in taken}
    candidate = version.next_version(part)
    while _identity(candidate) in names:
        candidate = candidate.next_version(part)
    return candidate


def _core(version: Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch


def _identity(version: Version) -> tuple[int, int, int, str | None]:
    return *_core(version), version.prerelease


def _comparators(text: str, term: re.Match[str]) -> tuple[Comparator, ...]:
    """What one term of a range means; the cases are those of node-semver."""
    numbers: list[int] = []
    for name in ("major", "minor", "patch"):
        number = term[name]
        if number is None or number in "xX*":
            break  # `1.x.3` is `1.x`, as in npm
        numbers.append(int(number))
    low = _filled(numbers)
    if len(numbers) == 3 and term["prerelease"] is not None:
        try:
            low = Version.parse(f"{low}-{term['prerelease']}")
        except ValueError as error:
            raise VersionError(text, _RANGES) from error
    operator = term["operator"] or "="
    if operator in ("=", "^", "~"):
        return _window(operator, numbers, low)
    if len(numbers) == 3:
        return (Comparator(_OPERATORS[operator], low),)
    return _partial(operator, numbers, low)


_OPERATORS: Final[dict[str, Operator]] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NOTHING: Final = Comparator("<", Version(0, prerelease="0"))


def _window(operator: str, numbers: list[int], low: Version) -> tuple[Comparator, ...]:
    """`=`, `^` and `~`: from a lowest version up to where the first fixed number changes."""
    if not numbers:
        return ()
    if operator == "=" and len(numbers) == 3:
        return (Comparator("=", low),)
    if operator == "^":
        # The leftmost number that is not zero stays; of all zeros, the last one written.
        keep = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
    elif operator == "~":
        keep = min(len(numbers), 2) - 1
    else:
        keep = len(numbers) - 1
    return Comparator(">=", low), Comparator("<", _above(numbers[: keep + 1]))


def _partial(operator: str, numbers: list[int], low: Version) -> tuple[Comparator, ...]:
    """A comparison with an incomplete version, which stands for all its completions."""
    if not numbers:
        return (_NOTHING,) if operator in "<>" else ()
    match operator:
        case ">=":
            return (Comparator(">=", low),)
        case "<":
            return (Comparator("<", low.replace(prerelease="0")),)
        case ">":
            return (Comparator(">=", _above(numbers).replace(prerelease=None)),)
        case _:
            return (Comparator("<", _above(numbers)),)


def _above(numbers: list[int]) -> Version:
    """The lowest version that no longer begins with `numbers`, its prereleases included."""
    return _filled([*numbers[:-1], numbers[-1] + 1]).replace(prerelease="0")


def _filled(numbers: list[int]) -> Version:
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return Version(major, minor, patch)
