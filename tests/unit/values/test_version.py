import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.version import Version, VersionError, VersionRange, next_free, parse_version


def matching(text: str, *versions: str) -> list[str]:
    wanted = VersionRange.parse(text)
    return [version for version in versions if wanted.matches(parse_version(version))]


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.9.0", "1.10.0"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.0.0-alpha.2", "1.0.0-alpha.10"),
        ("1.0.0-9", "1.0.0-alpha"),
        ("0.9.9", "1.0.0"),
    ],
)
def test_order(lower: str, higher: str) -> None:
    assert parse_version(lower) < parse_version(higher)


def test_build_metadata_does_not_count() -> None:
    assert parse_version("1.0.0+a") == parse_version("1.0.0+b")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.20", "write `1.20.0`"),
        ("1", "write `1.0.0`"),
        ("v1.2.3", "write `1.2.3`"),
        ("1.02.0", "write `1.2.0`"),
        ("1.2.3-01", "three numbers"),
        ("1.2.3.4", "three numbers"),
        ("1.2.3\n", "three numbers"),
        ("", "three numbers"),
        ("latest", "three numbers"),
        ("1.2.3-" + "a" * 300, "at most 256"),
    ],
)
def test_what_is_no_version(text: str, hint: str) -> None:
    with pytest.raises(VersionError, match=hint):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.2.3", "1.2.3 1.2.3+build", "1.2.4 1.2.2 1.2.3-rc.1"),
        ("=1.2.3", "1.2.3", "1.2.4"),
        ("1.2.3-rc.1", "1.2.3-rc.1", "1.2.3 1.2.3-rc.2"),
        ("^1.2", "1.2.0 1.2.9 1.10.0", "1.1.9 2.0.0 2.0.0-rc.1 1.3.0-rc.1"),
        ("^1", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("^1.x", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.2 0.0.4"),
        ("^0.0", "0.0.0 0.0.9", "0.1.0"),
        ("^0", "0.0.0 0.9.0", "1.0.0"),
        ("^0.2", "0.2.0 0.2.9", "0.3.0 0.1.9"),
        ("^*", "0.0.1 9.0.0", "1.0.0-rc.1"),
        ("~1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"),
        ("~1", "1.0.0 1.9.0", "2.0.0"),
        (">=1.2 <2", "1.2.0 1.9.9", "1.1.9 2.0.0 2.0.0-rc.1"),
        (">= 1.2   < 2", "1.2.0 1.9.9", "1.1.9 2.0.0"),
        (">1.2", "1.3.0", "1.2.0 1.2.9"),
        (">1", "2.0.0", "1.9.9"),
        (">1.2.3", "1.2.4", "1.2.3"),
        ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
        ("<=1.2.3", "1.2.3", "1.2.4"),
        ("<1.2.3", "1.2.2", "1.2.3 1.2.3-rc.1"),
        (">=1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.10 1.2.3 1.2.4", "1.2.3-beta.1 1.2.4-beta.3"),
        ("^1.2.3-beta.2", "1.2.3-beta.4 1.9.0", "1.2.4-beta.2 2.0.0 2.0.0-beta.3"),
        ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"),
        ("1", "1.0.0 1.9.9", "2.0.0"),
        ("1.2.x", "1.2.0 1.2.9", "1.3.0"),
        ("1.2", "1.2.0 1.2.9", "1.3.0"),
        ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
        ("*", "0.0.0 9.9.9", "9.9.9-rc.1"),
        ("latest", "0.0.0 9.9.9", "9.9.9-rc.1"),
        ("<*", "", "0.0.0 1.0.0"),
    ],
)
def test_ranges(text: str, inside: str, outside: str) -> None:
    assert matching(text, *inside.split(), *outside.split()) == inside.split()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "v1.2",
        "1.2.3.4",
        ">=",
        "a",
        "01.2",
        "^1.2,^1.3",
        "1.2.3-",
        "1.2.3-01",
        "latest ^1",
    ],
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(VersionError, match="a range is like"):
        VersionRange.parse(text)


def test_best_is_by_number_not_by_letter() -> None:
    versions = [parse_version(text) for text in ("1.9.0", "1.10.0", "2.0.0", "1.11.0-rc.1")]
    assert VersionRange.parse("^1").best(versions) == parse_version("1.10.0")
    assert VersionRange.parse("latest").best(versions) == parse_version("2.0.0")
    assert VersionRange.parse("^3").best(versions) is None


def test_exact() -> None:
    assert VersionRange.parse("1.2.3").exact == parse_version("1.2.3")
    assert VersionRange.parse("^1.2.3").exact is None
    assert VersionRange.parse("*").exact is None


@pytest.mark.parametrize(
    ("version", "taken", "part", "free"),
    [
        ("1.2.3", "1.2.3", "patch", "1.2.4"),
        ("1.2.3", "1.2.3 1.2.4 1.3.0", "patch", "1.2.5"),
        ("1.2.3", "1.2.3 1.3.0", "minor", "1.4.0"),
        ("1.2.3", "", "major", "2.0.0"),
        ("2.0.0-rc.1", "2.0.0-rc.1", "patch", "2.0.0"),
        ("1.2.3+a", "1.2.4+b", "patch", "1.2.5"),
    ],
)
def test_next_free(version: str, taken: str, part: str, free: str) -> None:
    names = [parse_version(text) for text in taken.split()]
    assert next_free(parse_version(version), names, part) == parse_version(free)  # type: ignore[arg-type]


numbers = st.integers(0, 12)
releases = st.builds(Version, numbers, numbers, numbers)
versions = st.builds(
    Version, numbers, numbers, numbers, st.sampled_from([None, "0", "rc.1", "rc.10", "a-b"])
)


@given(versions)
def test_a_version_is_its_own_range(version: Version) -> None:
    assert parse_version(str(version)) == version
    assert VersionRange.parse(str(version)).matches(version)


@given(releases, releases)
def test_caret_is_at_least_and_same_leftmost_number(low: Version, other: Version) -> None:
    def leftmost(version: Version) -> tuple[int, ...]:
        three = (version.major, version.minor, version.patch)
        first = next((i for i, number in enumerate(low.to_tuple()[:3]) if number), 2)
        return three[: first + 1]

    expected = other >= low and leftmost(other) == leftmost(low)
    assert VersionRange.parse(f"^{low}").matches(other) == expected


@given(releases, releases, releases)
def test_terms_intersect(low: Version, high: Version, other: Version) -> None:
    both = VersionRange.parse(f">={low} <{high}").matches(other)
    assert both == (low <= other < high)


@given(st.lists(versions), st.sampled_from(["*", "^1.2", "~3", "<5", ">=2.0.0-rc.1", "4.x"]))
def test_best_is_a_member_above_all_members(some: list[Version], text: str) -> None:
    wanted = VersionRange.parse(text)
    members = [version for version in some if wanted.matches(version)]
    best = wanted.best(some)
    if best is None:
        assert members == []
    else:
        assert best in members
        assert all(member <= best for member in members)
