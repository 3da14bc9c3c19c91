"""The host side of mpos: the `mpos` command, the virtual board, deployment, and the pytest plugin."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mpos-host")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "checkout"
