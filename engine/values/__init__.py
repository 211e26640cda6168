"""The smallest words of the engine: JSON, instants, durations, versions, names, digests, retries.

Owns what has no parts of the engine below it but `errors`. Everything here is pure: time,
randomness and ids are arguments, never read from the machine.
"""
