"""The codes of what `lock --check` and `compat` find; they continue those of the compiler."""

from __future__ import annotations

from typing import Final

from engine.definition.code import Code

SAME_VERSION: Final = "E320"
LOCK_LINE: Final = "E321"
FROZEN_FILE: Final = "E322"
BASE_LINE: Final = "E323"
STRAY_FILE: Final = "E324"
SMALL_BUMP: Final = "E325"

RELEASING: Final = (
    Code(
        LOCK_LINE,
        "broken lock file",
        "a line of `workflows.lock` that no release wrote, a release twice, a wrong order",
        "take the line from the base branch, or run `lockstep lock` for the order",
        "The lock has one line per release, written by `lockstep release`. A line that cannot be\n"
        "read locks nothing, so it is an error even when the release itself is untouched.",
        "order 1.2.0 revision=today",
        "order 1.2.0 revision=4f53… source=9a0c… input=- output=- signals=- dsl=1 semantics=1",
    ),
    Code(
        FROZEN_FILE,
        "frozen file is not the one of its lock line",
        "a released file that is gone, was edited, does not compile or means something else",
        "`git checkout` the file from the base branch; changes go into a new version",
        "A release never changes: instances run on it, and every environment is rebuilt from it.\n"
        "Frozen files are locked byte for byte, comments and line ends included.",
        "edit workflows/releases/order/1.2.0.yaml",
        "edit workflows/order.yaml, then `lockstep bump order` and `lockstep release order`",
    ),
    Code(
        BASE_LINE,
        "lock line vanished or changed",
        "a release of the base branch whose line is gone or another one now",
        "take the line from the base branch; to stop using a version, yank it in the store",
        "Lines are only ever added. Elsewhere the version may be deployed and running already.",
        "delete the line of order 1.2.0",
        "keep it; releases cost a file and a line",
    ),
    Code(
        STRAY_FILE,
        "frozen file without a lock line",
        "a file below `releases` that the lock does not name",
        "run `lockstep release` again, delete the file, or restore its line",
        "Nothing says what such a file must be, so it could be edited without anybody noticing.\n"
        "It is left over when a release was interrupted between the file and the lock.",
        "workflows/releases/order/1.3.0.yaml, and no line `order 1.3.0 …`",
        "a line for every frozen file, and a frozen file for every line",
    ),
    Code(
        SMALL_BUMP,
        "version raised too little",
        "a working file whose changes ask for a higher version than it has",
        "`lockstep bump NAME` raises it as far as the changes ask for",
        "Callers and running instances follow version ranges. A change that can break them has to\n"
        "show in the number, or the range lets it through.",
        "a new required input, and 1.2.1 after 1.2.0",
        "a new required input, and 2.0.0 after 1.2.0",
    ),
)
