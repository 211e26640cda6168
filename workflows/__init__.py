"""The project's own workflows: YAML files, the schemas they share, and their activities.

`python -m workflows.demo` runs the managed-PostgreSQL control plane from creation to deletion.
"""
