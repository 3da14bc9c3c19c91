"""The pytest plugin: device tests, the board of a test run, smoke tests with a report."""
