"""Policies: what decides on an application, as data. Next: `origination/policies/document.py`, then `engine.py`."""
