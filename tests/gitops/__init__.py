"""Releases as files: real folders, real git repositories, both in a temporary place."""
