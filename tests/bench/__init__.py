"""Benchmarks, each against a floor that is measured in the same run on the same database. Not tests: nothing is timed
there."""
