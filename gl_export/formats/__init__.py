"""How a batch is written down for a receiver: a file per format, and the list of them in `declared.py`."""
