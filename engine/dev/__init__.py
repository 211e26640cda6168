"""The development server: a node, a watcher and hot reload in one process."""
