"""Checks of the code and the schema that are no tests: `python -m tests.checks`."""
