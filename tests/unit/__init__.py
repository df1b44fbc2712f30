"""Tests of pure code: no database, plain values."""
