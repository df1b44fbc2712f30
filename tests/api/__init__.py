"""Tests of the HTTP API and of what both doors share."""
