"""The store: the provider protocol, its records, and what a URL opens."""
