"""Tests of the migrations themselves."""
