"""The node and its client, end to end in one process."""
