"""Activities: the Python functions that workflows call, and how one attempt of them is run.

Owns the `@activity` mark, the registry of a node, the JSON face of a function and the runner that
executes one attempt. Must not know storage or runtime: what to run comes in as an `ActivityCall`,
what became of it goes out as an `Outcome`.
"""
