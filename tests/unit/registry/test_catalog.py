"""Which version a start gets, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RegistryError, UnknownVersion, UnknownWorkflow, VersionWithdrawn
from engine.registry.catalog import Catalog, State
from engine.registry.policy import parse_policy
from engine.values.version import VersionRange, parse_version


def catalog(*versions: str, policy: str | dict[str, int] | None = None) -> Catalog:
    """Versions of `order`; `1.0.0 yanked` has a state. The revision is `r` and the version."""
    made = Catalog()
    for one in versions:
        number, _, state = one.partition(" ")
        made.add("order", number, f"r{number}", state=state or "released")  # type: ignore[arg-type]
    if policy is not None:
        made.set_policy("order", parse_policy(policy))
    return made


RESOLVED = [
    # deployed, policy, asked, version, reason
    (("1.9.0", "1.10.0"), None, None, "1.10.0", "policy latest"),
    (("1.10.0", "1.9.0"), None, "latest", "1.10.0", "asked for latest"),
    (("1.0.0", "2.0.0-rc.1"), None, None, "1.0.0", "policy latest"),
    (("1.0.0", "2.0.0-rc.1"), None, "2.0.0-rc.1", "2.0.0-rc.1", "asked for 2.0.0-rc.1"),
    (("1.0.0", "1.1.0-rc.1"), None, "^1", "1.0.0", "asked for ^1"),
    (("1.0.0", "1.1.0-rc.1"), None, ">=1.1.0-rc.0", "1.1.0-rc.1", "asked for >=1.1.0-rc.0"),
    (("1.0.0", "1.1.0", "2.0.0"), "^1", None, "1.1.0", "policy range ^1"),
    (("1.0.0", "1.1.0", "2.0.0"), "1.0.0", None, "1.0.0", "policy exact 1.0.0"),
    (("1.0.0", "1.1.0", "2.0.0"), "1.0.0", "^1", "1.1.0", "asked for ^1"),
    (("1.0.0", "1.1.0", "2.0.0"), "1.0.0", "latest", "2.0.0", "asked for latest"),
    (("1.0.0", "1.1.0 yanked"), None, None, "1.0.0", "policy latest"),
    (("1.0.0", "1.1.0 yanked"), None, "^1", "1.0.0", "asked for ^1"),
    (("1.0.0", "1.1.0 pruned"), None, None, "1.0.0", "policy latest"),
    (("1.0.0", "1.1.0 deprecated"), None, None, "1.0.0", "policy latest"),
    (("1.0.0", "1.1.0 deprecated"), None, "^1.1", "1.1.0", "asked for ^1.1"),
    (("1.0.0", "1.1.0 deprecated"), None, "1.1.0", "1.1.0", "asked for 1.1.0"),
    (("1.0.0 deprecated",), None, None, "1.0.0", "policy latest"),
    (("1.0.0+a", "1.0.0+b"), None, "1.0.0+a", "1.0.0+a", "asked for 1.0.0+a"),
    (("1.0.0+a",), None, "1.0.0", "1.0.0+a", "asked for 1.0.0"),
    (("1.0.0", "1.1.0"), {"1.0.0": 0, "1.1.0": 1}, None, "1.1.0", "policy weighted 100 % 1.1.0"),
    (
        ("1.0.0", "1.1.0 yanked"),
        {"1.0.0": 1, "1.1.0": 99},
        None,
        "1.0.0",
        "policy weighted 100 % 1.0.0",
    ),
]


@pytest.mark.parametrize(("deployed", "policy", "asked", "version", "reason"), RESOLVED, ids=str)
def test_a_start_gets(
    deployed: tuple[str, ...],
    policy: str | dict[str, int] | None,
    asked: str | None,
    version: str,
    reason: str,
) -> None:
    made = catalog(*deployed, policy=policy)
    for _ in range(2):  # the second time from what is remembered
        found = made.resolve("order", asked, instance_id="i-1")
        assert (found.version, found.revision, found.reason) == (version, f"r{version}", reason)


REFUSED = [
    (("1.0.0",), None, "^2", UnknownVersion, r"satisfies `\^2` \(deployed: 1.0.0\)"),
    (("1.0.0",), None, "2.0.0", UnknownVersion, "satisfies `2.0.0`"),
    (("1.0.0",), None, "nonsense", UnknownVersion, "satisfies `nonsense`"),
    (("1.0.0-rc.1",), None, None, UnknownVersion, "satisfies `latest`"),
    (("1.0.0 yanked",), None, None, UnknownVersion, r"satisfies `latest` \(deployed: none\)"),
    (("1.0.0 yanked",), None, "1.0.0", VersionWithdrawn, "`order` 1.0.0 is yanked"),
    (("1.0.0 pruned",), None, "1.0.0", VersionWithdrawn, "`order` 1.0.0 is pruned"),
    (("1.0.0 yanked",), "1.0.0", None, VersionWithdrawn, "`order` 1.0.0 is yanked"),
    (("1.0.0 yanked",), {"1.0.0": 1, "1.1.0": 1}, None, UnknownVersion, "satisfies"),
]


@pytest.mark.parametrize(("deployed", "policy", "asked", "error", "message"), REFUSED, ids=str)
def test_a_start_is_refused(
    deployed: tuple[str, ...],
    policy: str | dict[str, int] | None,
    asked: str | None,
    error: type[RegistryError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        catalog(*deployed, policy=policy).resolve("order", asked, instance_id="i-1")


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownWorkflow, match="did you mean order"):
        catalog("1.0.0").resolve("ordr")


def test_the_reason_of_a_yank_is_told() -> None:
    made = Catalog()
    made.add("order", "1.0.0", "r", state="yanked", reason="charges twice")
    with pytest.raises(VersionWithdrawn, match="is yanked: charges twice"):
        made.resolve("order", "1.0.0")


def test_two_versions_may_have_one_revision() -> None:
    made = Catalog()
    for version, revision in (("1.0.0", "ra"), ("1.1.0", "rb"), ("1.2.0", "ra")):
        made.add("order", version, revision)
    found = made.resolve("order")
    assert (found.version, found.revision) == ("1.2.0", "ra")
    assert sorted(made.revisions()) == ["ra", "ra", "rb"]


numbers = st.builds("{}.{}.{}".format, *[st.integers(0, 3)] * 3)
versions = st.one_of(numbers, st.builds("{}-{}".format, numbers, st.sampled_from(["a", "rc.1"])))
states: st.SearchStrategy[State] = st.sampled_from(["released", "deprecated", "yanked", "pruned"])
ranges = st.one_of(
    st.sampled_from(["latest", "^1", "~1.2", "1.x", ">=1 <3", "*"]),
    st.builds("^{}".format, numbers),
    versions,
)


@given(st.dictionaries(versions, states, min_size=1), ranges, st.text(max_size=5))
def test_what_is_given_was_asked_for_and_is_not_withdrawn(
    deployed: dict[str, State], asked: str, instance_id: str
) -> None:
    by_policy, by_request = Catalog(), Catalog()
    for made in (by_policy, by_request):
        for version, state in deployed.items():
            made.add("order", version, f"r{version}", state=state)
    by_policy.set_policy("order", parse_policy(asked))
    outcomes = []
    for made, wanted in ((by_policy, None), (by_request, asked)):
        try:
            outcomes.append(made.resolve("order", wanted, instance_id=instance_id).version)
        except (UnknownVersion, VersionWithdrawn) as error:
            outcomes.append(type(error).__name__)
    assert outcomes[0] == outcomes[1]
    parsed = VersionRange.parse(asked)
    fitting = [
        one
        for one, state in deployed.items()
        if state not in ("yanked", "pruned") and parsed.matches(parse_version(one))
    ]
    if outcomes[0] in ("UnknownVersion", "VersionWithdrawn"):
        assert fitting == [] or parsed.exact is not None
        return
    assert outcomes[0] in fitting
    released = [one for one in fitting if deployed[one] == "released"] or fitting
    assert parse_version(outcomes[0]) == max(map(parse_version, released))


@given(st.permutations(["1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "0.9.0"]))
def test_the_order_of_deployment_does_not_matter(deployed: list[str]) -> None:
    made = catalog(*deployed)
    assert made.resolve("order").version == "1.10.0"
    assert made.versions("order") == ["0.9.0", "1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"]
