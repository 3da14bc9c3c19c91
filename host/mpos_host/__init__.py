"""The host side of mpos: the `mpos` command, the virtual board, deployment, and the pytest plugin."""
