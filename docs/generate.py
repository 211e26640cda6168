"""Write what the pages say of the grammar and of the diagnostics: `python docs/generate.py`.

`diagnostics.md` is made whole. In the other pages a table stands between `<!-- table: NAME -->` and
`<!-- end -->`, where NAME is a step kind or one of the mappings in `TABLES`. A test compares.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from engine.definition import grammar
from engine.definition.codes import CODES
from engine.definition.grammar_steps import DEFAULTABLE, STEP_KINDS
from engine.definition.grammar_workflow import WORKFLOW

if TYPE_CHECKING:
    from engine.definition.code import Code
    from engine.definition.grammar import Field

DOCS = Path(__file__).parent

TABLES: dict[str, tuple[Field, ...]] = {
    "every step": grammar.COMMON,
    "workflow file": WORKFLOW,
    "retry": grammar.RETRY,
    "clause": grammar.CLAUSE,
    "branch": grammar.BRANCH,
    "case": grammar.CASE,
    "signal declaration": grammar.SIGNAL,
    "error": grammar.ERROR,
    **{f"step {name}": kind.options for name, kind in STEP_KINDS.items()},
}

GROUPS = (
    ("E1", "Reading a file", "Found by reading one file."),
    ("E2", "Compiling a file", "Found by compiling one file alone."),
    ("E3", "Checking it against the rest", "Found with activities and other workflows at hand."),
    ("W4", "Warnings", "Never fail a check, unless it is strict."),
)

_TABLE = re.compile(r"(<!-- table: (?P<name>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
_DEFAULTABLE = re.compile(r"(<!-- defaultable -->\n).*?(\n<!-- end -->)", re.DOTALL)


def table(name: str) -> str:
    """The keys of one mapping of the language."""
    if not TABLES[name]:
        return "It has no options of its own.\n"
    lines = ["| Key | Holds | Without it | Meaning |", "|---|---|---|---|"]
    for field in TABLES[name]:
        if field.not_yet is not None:
            continue
        holds = field.shape.value
        if field.choices:
            holds = ", ".join(f"`{choice}`" for choice in field.choices)
        lines.append(f"| `{field.name}` | {holds} | {_absent(field)} | {field.description} |")
    planned = [field for field in TABLES[name] if field.not_yet is not None]
    if planned:
        lines += [
            "",
            "Not there yet (error [E120](diagnostics.md#e120)); what to do until then:",
            "",
        ]
        lines += [f"- `{field.name}`: {field.not_yet}." for field in planned]
    return "\n".join(lines) + "\n"


def _absent(field: Field) -> str:
    if field.required:
        return "must be there"
    return "" if field.default is None else f"`{json.dumps(field.default).strip(chr(34))}`"


def page(text: str) -> str:
    """A page with its tables made anew."""
    text = _TABLE.sub(lambda found: found[1] + table(found["name"]) + found[3], text)
    return _DEFAULTABLE.sub(lambda found: found[1] + defaultable() + found[2], text)


def diagnostics() -> str:
    """The page of all codes."""
    parts = [
        "# Diagnostics\n",
        "Every problem that `lockstep check`, `deploy` and the Python API find has a code. This\n"
        "page lists all of them; `lockstep explain E228` prints one.\n",
        "A finding names the file, line and column, shows the place, says why it is wrong and how\n"
        "to mend it. All findings of a file come in one run.\n",
        f"Not looked for yet: {', '.join(unraised())}.\n",
        "This page is made by `python docs/generate.py` from the table the compiler uses.\n",
    ]
    for prefix, title, text in GROUPS:
        found = [code for code in CODES.values() if code.code.startswith(prefix)]
        parts.append(f"## {title}\n")
        parts.append(f"{text}\n")
        parts.append("| Code | Name | Finds |\n|---|---|---|\n" + "".join(map(_row, found)))
        parts += [_section(code) for code in found]
    return "\n".join(parts)


def unraised() -> list[str]:
    """The codes that no part of this release raises."""
    sources = [
        path.read_text(encoding="utf-8")
        for path in sorted((DOCS.parent / "engine").rglob("*.py"))
        if not path.name.startswith("codes")
    ]
    return [code for code in CODES if not any(f'"{code}"' in source for source in sources)]


def _row(code: Code) -> str:
    finds = code.finds.replace("|", "\\|")
    return f"| [{code.code}](#{code.code.lower()}) | {code.title} | {finds} |\n"


def _section(code: Code) -> str:
    explanation = " ".join(code.explanation.split("\n"))
    return (
        f"### {code.code}\n\n**{code.title}.** {explanation}\n\n"
        f"Finds: {code.finds}.\nMend: {code.mend}.\n\n"
        f"```yaml fragment\n# wrong\n{code.bad}\n```\n\n"
        f"```yaml fragment\n# right\n{code.good}\n```\n"
    )


def defaultable() -> str:
    """The options that `defaults:` may preset."""
    names = ", ".join(f"`{name}`" for name in sorted(DEFAULTABLE))
    return f"What can be preset, on kinds that have it: {names}."


def main() -> None:
    """Write the pages."""
    (DOCS / "diagnostics.md").write_text(diagnostics(), encoding="utf-8")
    for path in sorted(DOCS.glob("*.md")):
        old = path.read_text(encoding="utf-8")
        new = page(old)
        if new != old:
            path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
