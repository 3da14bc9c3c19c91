"""The device's side of a deployment (`mpos_host.board.deploy`), run by commands over its console."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from mpos_host.board.device import Device
from mpos_host.project import UserError, root

_CHUNK = 3 * 1024  # bytes of a file per command: 4 KB of base64, which the heap of any board has in one piece
_HASH_BATCH = 64 * 1024  # bytes hashed per command: a loop that runs meanwhile is held up for 0.1 s at most
_NAMES_BATCH = 50  # files named in one command: more would not fit into a small heap
_COMMAND_S = 10  # for a command, and for each file that it looks at or moves
_FILE_S = 0.2
_UNKNOWN_FILES = 1000  # of a deployment that was cut short: nobody has counted them
_RESERVE_BLOCKS = 6  # of the file system, for its folders and for what it needs to copy on write


class Transport(Protocol):
    """What `deploy` needs: `mpos_host.board.device.Device`, or mpremote's SerialTransport in the raw REPL."""

    def exec(self, command: str, /) -> str | bytes: ...


class DeviceSide:
    """What `deploy` asks of the device behind `transport`. Raises UserError when the connection fails."""

    def __init__(self, transport: Transport):
        self._transport = transport

    def start(self) -> None:
        """Load the device's side, and finish a deployment that was cut short after its switch."""
        switch = (root() / "boards" / "shared" / "deploy_switch.py").read_text(encoding="utf-8")
        self._exec(
            f"_deploy = {{}}\nexec({switch + _DEVICE_SIDE!r}, _deploy)\n_deploy['finish']()", _UNKNOWN_FILES
        )

    def close(self) -> None:
        # The connection may be what failed: the first error is the one to show.
        with contextlib.suppress(Exception):
            self._exec("del _deploy\nimport gc\ngc.collect()")

    def identity(self) -> dict[str, object]:
        return self._ask("identity")

    def digests(self, entries: Sequence[tuple[str, bytes]]) -> dict[str, str]:
        return self._digests([(path, len(content)) for path, content in entries])

    def staged_digests(self, names: Sequence[str]) -> dict[str, str]:
        found = self._digests([(f"/deploy/{name}", _HASH_BATCH // 8) for name in names])
        return {path.rpartition("/")[2]: digest for path, digest in found.items()}

    def names(self, folders: Sequence[str]) -> list[str]:
        return [path for folder in folders for path in self._ask("names", folder, files=_UNKNOWN_FILES)]

    def existing(self, paths: Sequence[str]) -> list[str]:
        return [path for batch in _batches(paths) for path in self._ask("existing", batch, files=len(batch))]

    def read(self, path: str) -> bytes:
        return base64.b64decode(self._ask("read", path))

    def keep_staged(self, wanted: dict[str, str]) -> set[str]:
        """Which of `wanted` an interrupted run has left, whole; the rest of what it left is removed."""
        left = [path.rpartition("/")[2] for path in self.names(["/deploy"])]
        if not left:
            return set()
        digests = self.staged_digests([name for name in left if name in wanted])
        kept = {name for name, digest in digests.items() if digest == wanted[name]}
        for batch in _batches([name for name in left if name not in kept]):
            self._ask("remove_staged", batch, files=len(batch))
        return kept

    def check_places(self, paths: Sequence[str]) -> None:
        """A rename that cannot be would stop the switch in the middle, at every boot anew."""
        for batch in _batches(paths):
            blocked = self._ask("blocked", batch, files=len(batch))
            if not blocked:
                continue
            path, kind = blocked
            raise UserError(
                f"{path} is a {kind} on the device and none in the new version: "
                f"remove it (mpremote rm -r :{path}), or all files (flash.sh --erase)"
            )

    def check_space(self, contents: Iterable[bytes]) -> None:
        block, free = self._ask("space")
        # LittleFS keeps a few pointers in each block of a file.
        needed = sum(-(-len(content) // (block - 8)) for content in contents) + _RESERVE_BLOCKS
        if needed > free:
            raise UserError(
                f"not enough space on the device: {(needed - free) * block // 1024} KB are missing; the new"
                f" files need {needed * block // 1024} KB beside the version in use,"
                f" {free * block // 1024} KB are free"
            )

    def write(self, files: dict[str, bytes], progress: Callable[[int, int], None] | None = None) -> None:
        """Write staged files. Several small ones go in one command.

        `progress` is told how many of them are written, and of how many.
        """
        batch: list[str] = []
        size = 0
        for number, (name, content) in enumerate(files.items()):
            batch.append(f"_deploy['create']({name!r})")
            for start in range(0, max(len(content), 1), _CHUNK):
                piece = content[start : start + _CHUNK]
                if size + len(piece) > _CHUNK or len(batch) >= _NAMES_BATCH:
                    self._exec("\n".join(batch), len(batch))
                    batch, size = [], 0
                    if progress is not None:
                        progress(number, len(files))
                batch.append(f"_deploy['write']({base64.b64encode(piece).decode()!r})")
                size += len(piece)
        batch.append("_deploy['complete']()")
        self._exec("\n".join(batch), len(batch))

    def switch(self, step: bytes, files: int) -> None:
        """Make the new version the one that boots, and put it in place: `files` are moved or removed."""
        self.write({"plan.new": step})
        if self.staged_digests(["plan.new"]) != {"plan.new": hashlib.sha256(step).hexdigest()}:
            raise UserError("the device read back another plan than was written: its flash may be worn out")
        self._ask("switch", files=files)

    def _digests(self, sizes: Sequence[tuple[str, int]]) -> dict[str, str]:
        found: dict[str, str] = {}
        batch: list[str] = []
        total = 0
        for path, size in sizes:
            batch.append(path)
            total += size
            if total >= _HASH_BATCH or len(batch) >= _NAMES_BATCH:
                found.update(self._ask("digests", batch, files=len(batch)))
                batch, total = [], 0
        return {**found, **self._ask("digests", batch, files=len(batch))} if batch else found

    def _ask(self, function: str, *arguments: object, files: int = 0) -> Any:
        given = "".join(f", {argument!r}" for argument in arguments)
        printed = self._exec(f"_deploy['answer']({function!r}{given})", files)
        _, _, framed = printed.partition("\x02")
        answer, end, _ = framed.partition("\x03")
        if not end:  # it was reset while it took in the command
            raise UserError("the deployment was cut short: the board did not answer; run it again")
        return json.loads(answer)

    def _exec(self, command: str, files: int = 0) -> str:
        try:
            if isinstance(self._transport, Device):
                printed = self._transport.exec(command, timeout=_COMMAND_S + files * _FILE_S)
            else:  # mpremote's: it waits as long as anything comes
                printed = self._transport.exec(command)
            return printed if isinstance(printed, str) else printed.decode("utf-8", "replace")
        except Exception as error:
            # mpremote's errors hold the device's traceback; the last line says what it was.
            last = str(getattr(error, "error_output", error)).strip().splitlines()
            reason = last[-1] if last else type(error).__name__
            if "ENOSPC" in reason or "OSError: 28" in reason:
                reason = "its flash is full (something else wrote to it meanwhile)"
            raise UserError(f"the deployment was cut short: {reason}; run it again") from error


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), _NAMES_BATCH):
        yield list(names[start : start + _NAMES_BATCH])


_DEVICE_SIDE = """
import binascii, hashlib, sys

def answer(function, *arguments):
    # Between two marks: an app that runs may print as well.
    print("\\x02%s\\x03" % json.dumps(globals()[function](*arguments)))

def identity():
    return {"machine": sys.implementation._machine, "mpy": sys.implementation._mpy}

def digests(paths):
    buffer = bytearray(2048)
    view = memoryview(buffer)
    found = {}
    for path in paths:
        try:
            file = open(path, "rb")
        except OSError:
            continue
        digest = hashlib.sha256()
        with file:
            count = file.readinto(buffer)
            while count:
                digest.update(view[:count])
                count = file.readinto(buffer)
        found[path] = binascii.hexlify(digest.digest()).decode()
    return found

def names(folder):
    found = []
    if _exists(folder):
        for entry in os.ilistdir(folder):
            path = folder + "/" + entry[0]
            if entry[1] == 0x4000:
                found += names(path)
            else:
                found.append(path)
    return found

def existing(paths):
    return [path for path in paths if _exists(path)]

def blocked(paths):
    folders = {}
    for path in paths:
        if _is_folder(path):
            return [path, "folder"]
        end = path.find("/", 1)
        while end > 0:
            folder = path[:end]
            if folder not in folders:
                folders[folder] = _is_folder(folder)
            if folders[folder] is False:
                return [folder, "file"]
            end = path.find("/", end + 1)
    return None

def _is_folder(path):
    # None if there is nothing.
    try:
        return os.stat(path)[0] & 0x4000 != 0
    except OSError:
        return None

def read(path):
    with open(path, "rb") as file:
        return binascii.b2a_base64(file.read()).decode()

def remove_staged(names):
    for name in names:
        os.remove(_FOLDER + "/" + name)

def space():
    info = os.statvfs("/")
    return [info[1], info[4]]

_open = []

def create(name):
    complete()
    make_folders(_FOLDER + "/" + name)
    _open.append(open(_FOLDER + "/" + name, "wb"))

def write(text):
    _open[0].write(binascii.a2b_base64(text))

def complete():
    if _open:
        _open.pop().close()

def switch():
    os.rename(_FOLDER + "/plan.new", _FOLDER + "/plan")
    finish()
"""
