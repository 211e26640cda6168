"""No result depends on the order in which Python hashes strings."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import hashlib
from engine.errors import ExpressionError
from engine.expr import compile_expression
from tests.unit.expr import attacks, test_agreement, test_filters, test_language
from tests.unit.expr.conftest import FixedScope

digest = hashlib.sha256()
sources = [source for source, *_ in test_filters.VALUES + test_filters.FAILURES]
sources += [source for source, *_ in test_language.VALUES + test_language.FAILURES]
sources += [source for source, *_ in test_language.REFUSALS]
sources += test_agreement.TABLE + attacks.ESCAPES + attacks.OUTSIDE
roots = {**test_filters.DATA, **test_language.DATA}
for source in sources:
    try:
        expression = compile_expression(source)
        seen = [expression.references, expression.calls, expression.static_type]
        seen.append(expression.evaluate(FixedScope(roots)))
    except ExpressionError as error:
        seen = [error.message, error.mend, error.suggestions, error.offset, error.length]
    digest.update(repr(seen).encode())
print(len(sources), digest.hexdigest())
"""


def test_results_and_errors_are_the_same_for_every_hash_seed() -> None:
    seen = set()
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1
    assert int(seen.pop().split()[0]) > 900
