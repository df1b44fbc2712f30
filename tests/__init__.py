"""Tests, from pure units to the whole program on a real PostgreSQL."""
