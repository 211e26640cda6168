"""The documentation as a test: what it shows is run, what it lists is complete."""
