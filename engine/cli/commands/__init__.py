"""One file per command, loaded when the command is called. The table of them is in `main`."""
