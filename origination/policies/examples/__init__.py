"""Policies and authority limits that are shipped as examples: TOML files, loaded like any other."""
