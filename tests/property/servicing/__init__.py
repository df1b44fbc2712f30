"""Tests of the package servicing."""
