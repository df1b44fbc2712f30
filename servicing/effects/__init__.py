"""What each kind of event does to a loan while its life is folded, a module for each idea; `servicing/engine.py`."""
