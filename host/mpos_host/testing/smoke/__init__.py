"""Smoke tests: what their device files report, pictures that are compared, and the report of a run."""
