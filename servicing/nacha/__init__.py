"""Files of the Automated Clearing House as Nacha lays them out: written and read to the byte, and the rules of returns.

Pure. Never: which payments are due, or what a return books (`servicing/commands/`). Start at
`servicing/nacha/file.py`; `rendering.py` and `reading.py` share one table of fields for each kind of record.
Next: `docs/spec/nacha.md`.
"""
