"""The step kinds, one class each. `program.KINDS` says which class runs which step."""
