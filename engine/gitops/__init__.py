"""Versions as files: released, locked, compared; what stands in a repository, never in a store."""
