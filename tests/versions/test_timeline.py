"""A deploy while a timer runs, hour by hour (docs/versions.md tells the same story)."""

from __future__ import annotations

from typing import Any

from tests.runtime.rig import MovedClock, running, workflow
from tests.versions.stories import in_execution, resolutions

MINUTE = 60 * 1_000_000

BODY = """
vars: { round: "${{ input.round | default(1) }}" }
steps:
  - log: %s
  - sleep: 1h
  - log: %s again
  - continue_as_new: { round: "${{ vars.round + 1 }}" }
"""


async def test_the_old_version_finishes_its_timer_and_the_new_one_takes_over() -> None:
    clock = MovedClock()
    async with running("sqlite://:memory:", clock=clock) as rig:
        client = rig.client
        # T+0:00  1.0.0 is deployed, an instance starts on it and sleeps for an hour
        await client.deploy_text(workflow(BODY % ("one", "one"), version="1.0.0"))
        await client.start("main", {}, id="m")
        # T+0:30  1.1.0 is deployed: the sleeper stays where it is, others start on the new one
        clock.offset += 30 * MINUTE
        await client.deploy_text(workflow(BODY % ("two", "two"), version="1.1.0"))
        await client.start("main", {}, id="other")
        assert (await client.get("m")).version == "1.0.0"
        assert (await client.get("other")).version == "1.1.0"
        report = {one.version: one for one in await client.version_report("main")}
        assert (report["1.0.0"].running, report["1.0.0"].waiting) == (1, 1)
        assert not report["1.0.0"].drained
        # T+1:00  the timer fires, and what follows it runs on 1.0.0
        # T+1:00  continue_as_new: the next execution is on 1.1.0
        clock.offset += 31 * MINUTE
        await in_execution(client, "m", 2)
        first = [dict(one) for one in await client.history("m", 1)]
        assert [(e["kind"], e.get("text")) for e in first if e["kind"] != "timer_created"] == [
            ("started", None),
            ("logged", "one"),
            ("timer_fired", None),
            ("logged", "one again"),
            ("continued_as_new", None),
        ]
        # T+1:02  the record shows both, and why
        clock.offset += MINUTE
        second: list[dict[str, Any]] = [dict(one) for one in await client.history("m", 2)]
        assert second[1]["text"] == "two"
        assert second[0]["input"] == {"round": 2}
        assert await resolutions(client, "m") == [
            ("1.0.0", "policy latest"),
            ("1.1.0", "policy latest"),
        ]
        report = {one.version: one for one in await client.version_report("main")}
        assert report["1.0.0"].drained
        assert report["1.1.0"].running == 2
        await rig.check()


MIGRATED = """
accepts_state_from: ">=1.0.0"
input_schema:
  type: object
  required: [shop]
  properties:
    shop: { type: string }
    failures: { type: integer }
    seen: { type: array, default: [], items: { type: string } }
vars: { seen: "${{ input.seen if 'failures' not in input else ['unknown'] * input.failures }}" }
signals: { seen: { schema: { type: string } } }
steps:
  - id: one
    wait: seen
  - continue_as_new:
      shop: ${{ input.shop }}
      seen: ${{ vars.seen + [steps.one.output] }}
"""
COUNTED = """
input_schema:
  type: object
  required: [shop]
  properties: { shop: { type: string }, failures: { type: integer, default: 0 } }
signals: { seen: { schema: { type: string } } }
steps:
  - wait: seen
  - continue_as_new: { shop: "${{ input.shop }}", failures: "${{ input.failures + 1 }}" }
"""


async def test_the_new_version_reads_the_state_of_the_old_one() -> None:
    """1.x counts, 2.0.0 keeps the names; it accepts both inputs and carries on in its own."""
    async with running("sqlite://:memory:", workflow(COUNTED, version="1.0.0")) as rig:
        client = rig.client
        await client.start("main", {"shop": "a"}, id="m")
        for number in range(2):
            await client.signal("m", "seen", "x")
            await in_execution(client, "m", number + 2)
        await client.deploy_text(workflow(MIGRATED, version="2.0.0"))
        for execution, (name, version, value) in enumerate(
            [
                ("y", "2.0.0", {"shop": "a", "failures": 3, "seen": []}),
                ("z", "2.0.0", {"shop": "a", "seen": ["unknown"] * 3 + ["z"]}),
            ],
            start=4,
        ):
            await client.signal("m", "seen", name)
            await in_execution(client, "m", execution)
            info = await client.get("m")
            assert (info.version, info.input) == (version, value)
        await rig.check()
