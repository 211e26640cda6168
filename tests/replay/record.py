"""Record histories for a release: `python -m tests.replay.record 0.1.0`.

What is recorded is a choice of the cases under `tests/interpreter/cases`, graph and pages together.
A file that exists is never written again: it is what a released version wrote, for ever.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from engine.graph.revision import canonical
from tests.interpreter.case_format import load_all
from tests.interpreter.stage import Stage

HERE = Path(__file__).parent
CHOSEN = (
    "activity: exponential delays stop growing at max_delay",
    "activity: jitter is drawn from the step path, so it is the same every time",
    "activity: no wait begins that would end past the step's timeout",
    "branches: join of two takes the first two successes and stops the rest",
    "branches: race, a loser cleans up before the block ends",
    "branches: race, a wait that lost does not swallow the next signal",
    "branches: wait_all lets all end and reports each",
    "cancelling: a cancel stops everything that is open, in every branch",
    "cancelling: terminate interrupts a clean-up",
    "cancelling: the engine may end an execution, which then runs nothing",
    "children: a child that takes too long is cancelled",
    "children: a child's output comes to the parent",
    "children: a detached start goes on once the instance exists",
    "children: a retried child of a chosen id is numbered too",
    "choice: the else of a switch",
    "choice: the then of an if",
    "do: a retried block begins again with fresh variables under a path of its own",
    "foreach: loops inside loops have paths with both numbers",
    "foreach: tolerated failures leave null and an entry",
    "leaving: continue_as_new takes the mailbox along, all names in order",
    "leaving: raise another error, the caught one is its cause",
    "leaving: return from inside blocks",
    "limits: the workflow's timeout covers its catch",
    "loops: an until that runs out, without a last pause",
    "loops: variables of the loop live through its turns",
    "loops: while is tested again after the pause",
    "protect: the workflow's own catch and finally",
    "protect: try, the timeout is raised inside, so its own clause sees it",
    "rebase: expressions see the version that the execution went over to, wherever they stand",
    "saga: a loop is undone turn by turn, each with the item it had",
    "saga: an inner saga that ended well is undone with the outer",
    "saga: an undo is tried three times, then recorded, and the rest still runs",
    "sequence: roots tell of the workflow and the instance",
    "sequence: uuid and random differ from place to place and stay what they are",
    "sequence: variables have first values made of the input",
    "time_and_signals: a default stands for a signal that did not come",
    "time_and_signals: a signal that is refused is an error of the step",
    "time_and_signals: a signal to another succeeds once it is there",
    "time_and_signals: sleep until a time",
    "time_and_signals: status is shown live, log lines are decisions",
    "time_and_signals: where leaves what it refuses in order",
)


def record(release: str) -> list[Path]:
    """Write what is not there yet; returns the new files."""
    cases = load_all()
    folder = HERE / release
    folder.mkdir(exist_ok=True)
    written = []
    for name in CHOSEN:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")
        path = folder / f"{slug}.json"
        if path.exists():
            continue
        stage = Stage(cases[name])
        stage.play()
        held = {
            "case": name,
            "graph": json.loads(canonical(stage.driver.program.graph)),
            "pages": [page.decode() for page in stage.driver.pages],
        }
        path.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    sys.stdout.write("".join(f"{path.name}\n" for path in record(sys.argv[1])))
