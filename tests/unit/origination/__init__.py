"""Tests of the package origination."""
