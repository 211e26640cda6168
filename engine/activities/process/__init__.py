"""Subprocesses for activities with `isolation="process"`: they can be limited and killed.

`child` runs in the subprocess, `worker` is one subprocess as the node sees it, `pool` lends them
out, `wire` is what the two sides say to each other, `locator` is how the child finds a function.
"""
