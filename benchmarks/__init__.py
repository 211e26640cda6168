"""Measure the engine beside a raw limit, a bare skeleton and the peers that pip installs.

Owns the workloads, the contenders and the table in RESULTS.md. Knows the engine only through its
public API. Rule 1: every run is a fresh process with a fresh database file. Rule 2: contenders take
turns within a round, and ratios are taken within a round. Rule 3: a failed, lost or hung run is
printed as such.
"""
