"""`io` as a board has it: a file has a path. On the host a number is a descriptor, such as the flash's."""

from io import *  # noqa: F403
from io import open as _open


def open(file, *arguments, **keywords):
    if isinstance(file, int):
        raise TypeError("can't convert 'int' object to str implicitly")
    return _open(file, *arguments, **keywords)
