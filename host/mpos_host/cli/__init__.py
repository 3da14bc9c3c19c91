"""The command `mpos`, one module a command, and `make run`."""
