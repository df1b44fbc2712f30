"""Tapes: files of loans, read row by row through a column map into loans to board; `servicing/tapes/tape.py`."""
