"""Development versions: what a save becomes, and which starts get it.

A file of version 1.2.0 becomes `1.2.0-dev.<revision8>` when it is saved, and the policy of its name
that version exactly, in the same transaction. Only a development store takes such versions, so
only there does any policy name one, and everything below leaves all other stores alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from engine.registry.policy import Exact
from engine.values.version import VersionError, VersionRange, parse_version

if TYPE_CHECKING:
    from engine.registry.catalog import Catalog, Resolved

DIGITS: Final = 8
_DEVELOPMENT: Final = re.compile(r"-dev\.")


def is_development(version: str) -> bool:
    """Whether a save has made this version."""
    return _DEVELOPMENT.search(version) is not None


def development_version(version: str, revision: str, *, digits: int = DIGITS) -> str:
    """What a file of that version and revision becomes.

    SemVer takes no number that begins with 0, so a revision that looks like one is told longer.
    """
    while revision[:digits].isdigit() and revision[0] == "0" and digits < len(revision):
        digits += 1
    parsed = parse_version(version)
    return f"{parsed.major}.{parsed.minor}.{parsed.patch}-dev.{revision[:digits]}"


def resolve(catalog: Catalog, name: str, wanted: str | None, *, instance_id: str = "") -> Resolved:
    """As `Catalog.resolve`; what means the version of a saved file gets what the save became.

    So a child that is bound to `^1` is the one that was just edited.
    """
    policy = catalog.policy(name)
    if wanted is None or not isinstance(policy, Exact) or not is_development(policy.version):
        return catalog.resolve(name, wanted, instance_id=instance_id)
    if not _means(wanted, policy.version):
        return catalog.resolve(name, wanted, instance_id=instance_id)
    found = catalog.resolve(name, policy.version, instance_id=instance_id)
    return msgspec.structs.replace(found, reason=f"asked for {wanted}, saved last")


def _means(wanted: str, saved: str) -> bool:
    try:
        return VersionRange.parse(wanted).matches(parse_version(saved).replace(prerelease=None))
    except VersionError:
        return False
