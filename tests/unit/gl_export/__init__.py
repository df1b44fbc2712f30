"""Tests of the package gl_export."""
