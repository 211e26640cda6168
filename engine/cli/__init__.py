"""The command line: `lockstep`. Only here is printed: data to stdout, progress to stderr."""
