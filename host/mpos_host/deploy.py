"""Bringing mpos, a board and apps onto a device, so that it can be cut short anywhere.

    files = plan(board, apps)
    deploy(transport, files, board)

Only what differs (by SHA-256, read on the device) is sent. It is written beside the version in use, read
back, and put in place by one rename of a file (boards/shared/deploy_switch.py says how): until then the
device boots the old version, after it the new one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from mpos_host import compiler
from mpos_host.project import App, Board, UserError, root

# Architectures by the number in sys.implementation._mpy >> 10 (py/persistentcode.h, MP_NATIVE_ARCH_...).
_ARCHITECTURES = (
    *("none", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)
_OURS = ["/lib/deploy_switch.mpy", "/lib/deploy_switch.py"]  # on every board that mpos was deployed to
_KEPT = "/main.py.before_mpos"
_CHUNK = 3 * 1024  # bytes of a file per command: 4 KB of base64, which the heap of any board has in one piece
_HASH_BATCH = 64 * 1024  # bytes hashed per command: a loop that runs meanwhile is held up for 0.1 s at most
_RESERVE_BLOCKS = 6  # of the file system, for its folders and for what it needs to copy on write


class Transport(Protocol):
    """What `deploy` needs: `mpos_host.device.Device`, or mpremote's SerialTransport in the raw REPL."""

    def exec(self, command: str, /) -> str | bytes: ...


@dataclass(frozen=True)
class Files:
    """What is to be on the device: (path, content), and the folders whose code is all of this deployment."""

    entries: list[tuple[str, bytes]]
    folders: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True)
class Deployed:
    """What `deploy` did: the paths written and removed, and the bytes sent."""

    written: list[str]
    removed: list[str]
    bytes_sent: int

    def __str__(self) -> str:
        files = "1 file" if len(self.written) == 1 else f"{len(self.written)} files"
        sent = self.bytes_sent
        size = f"{sent} bytes" if sent < 1024 else f"{sent / 1024:.0f} KB"
        return f"{files} written ({size}), {len(self.removed)} removed"


def plan(board: Board, apps: Sequence[App] = (), source: bool = False) -> Files:
    """What `board` needs to run mpos and `apps`, compiled for it; `source` for .py files instead.

    The first app becomes the one that is started at boot (/app.txt). Raises UserError if a file cannot be
    compiled or two apps have one name.
    """
    packages = [app.package for app in apps]
    for package in packages:
        if packages.count(package) > 1:
            raise UserError(f"two of the apps are called {package}", 2)
    shared = root() / "boards" / "shared"
    found = [
        (shared / "deploy_switch.py", "/lib/deploy_switch.py"),
        *_tree(root() / "mpos", "/lib/mpos"),
        (board.directory / "board.py", "/lib/board.py"),
        *(
            (board.directory / name, f"/lib/{name}")
            for name in board.facts.get("deploy", {}).get("files", [])
        ),
    ]
    for app in apps:
        found += _tree(app.directory, f"/apps/{app.package}")
    entries = (
        _compiled(found, board.arch) if not source else [(name, path.read_bytes()) for path, name in found]
    )
    if apps:
        entries.append(("/app.txt", packages[0].encode()))
    # Last, because it needs all of the others.
    entries.append(("/main.py", (shared / "main.py").read_bytes()))
    return Files(entries, ["/lib/mpos", *(f"/apps/{package}" for package in packages)])


def deploy(transport: Transport, files: Files, board: Board | None = None) -> Deployed:
    """Bring `files` onto the device behind `transport`. A loop that runs there goes on, with the old code.

    A main.py that was there before mpos is kept as main.py.before_mpos.

    With `board`, the device is checked to be one first. Raises UserError, before anything is written, if it
    is another one, its MicroPython is too old, or there is not enough space; and later if the connection or
    the file system fails. In any case the device boots the old or the new version, and a second run goes
    on where the first ended.
    """
    device = _Device(transport)
    try:
        device.start()
        if board is not None:
            check_device(device.identity(), board)
        return _Deployment(device, files).run()
    finally:
        device.close()


def check_device(identity: dict[str, object], board: Board) -> None:
    """Raise UserError if `identity` (machine, mpy) is not that of a `board`."""
    machine, mpy = str(identity["machine"]), int(str(identity["mpy"]))
    arch = _ARCHITECTURES[mpy >> 10] if mpy >> 10 < len(_ARCHITECTURES) else "unknown"
    chip = str(board.facts.get("chip", "none"))
    if chip != "none" and not machine.lower().endswith(chip):
        raise UserError(
            f"the device on this port is no {board.name}: it has {machine}, not an {chip.upper()}"
        )
    if arch != board.arch:
        raise UserError(f"the device on this port is no {board.name}: it runs {arch} code, not {board.arch}")
    if (mpy & 0xFF, mpy >> 8 & 3) != compiler.MPY_VERSION:
        raise UserError(
            f"the firmware loads .mpy v{mpy & 0xFF}.{mpy >> 8 & 3}, not "
            f"v{'.'.join(map(str, compiler.MPY_VERSION))}: it needs MicroPython 1.23 or newer"
        )


def _tree(folder: Path, target: str) -> list[tuple[Path, str]]:
    """All files under `folder` with their paths on the device; not what editors and CPython leave there."""
    return [
        (path, f"{target}/{path.relative_to(folder).as_posix()}")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    ]


def _compiled(found: Iterable[tuple[Path, str]], arch: str) -> list[tuple[str, bytes]]:
    found = list(found)
    python = [(path, name) for path, name in found if name.endswith(".py")]
    codes = iter(compiler.compile_all(compiler.Source(path, name, arch) for path, name in python))
    return [
        (name[:-3] + ".mpy", next(codes)) if name.endswith(".py") else (name, path.read_bytes())
        for path, name in found
    ]


def _twin(path: str) -> str | None:
    """The other name under which `import` would find the module `path`."""
    suffix = PurePosixPath(path).suffix
    return {".py": path[:-3] + ".mpy", ".mpy": path[:-4] + ".py"}.get(suffix)


class _Deployment:
    """One run of `deploy` after the checks."""

    def __init__(self, device: _Device, files: Files):
        self._device = device
        self._folders = files.folders
        self._contents = dict(files.entries)

    def run(self) -> Deployed:
        self._keep_main()
        self._digests = {
            path: hashlib.sha256(content).hexdigest() for path, content in self._contents.items()
        }
        present = self._device.digests(list(self._contents.items()))
        changed = [path for path in self._contents if present.get(path) != self._digests[path]]
        removed = self._stale()
        if not changed and not removed:
            return Deployed([], [], 0)
        staged = {self._staged_name(path): path for path in changed}
        kept = self._device.keep_staged({name: self._digests[path] for name, path in staged.items()})
        missing = {name: self._contents[path] for name, path in staged.items() if name not in kept}
        step = json.dumps({"put": list(staged.items()), "remove": removed}).encode()
        self._device.check_space([*missing.values(), step])
        self._device.write(missing)
        self._verify({name: self._digests[path] for name, path in staged.items()})
        self._device.switch(step)
        return Deployed(changed, removed, sum(map(len, missing.values())))

    def _keep_main(self) -> None:
        """The main.py of somebody else becomes one more file of the new version, under another name."""
        if not self._device.existing(_OURS) and self._device.existing(["/main.py"]):
            self._contents = {_KEPT: self._device.read("/main.py"), **self._contents}

    def _staged_name(self, path: str) -> str:
        # By target and content: what an interrupted run left is found again, two equal files are kept apart.
        return hashlib.sha256(f"{path}\0{self._digests[path]}".encode()).hexdigest()[:16]

    def _stale(self) -> list[str]:
        """Code that would be imported in place of ours, or that an earlier version left. Apps' data stays."""
        here = set(self._device.names(self._folders))
        here |= set(self._device.existing([twin for path in self._contents if (twin := _twin(path))]))
        here -= self._contents.keys()
        return sorted(path for path in here if path.endswith((".py", ".mpy")))

    def _verify(self, expected: dict[str, str]) -> None:
        found = self._device.staged_digests(list(expected))
        for name, digest in expected.items():
            if found.get(name) != digest:
                raise UserError(
                    "the device read back other bytes than were written: its flash may be worn out"
                )


class _Device:
    """The device's side of a deployment, run by commands over the connection."""

    def __init__(self, transport: Transport):
        self._transport = transport

    def start(self) -> None:
        """Load the device's side, and finish a deployment that was cut short after its switch."""
        switch = (root() / "boards" / "shared" / "deploy_switch.py").read_text(encoding="utf-8")
        self._exec(f"_deploy = {{}}\nexec({switch + _DEVICE_SIDE!r}, _deploy)\n_deploy['finish']()")

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
        return [path for folder in folders for path in self._ask("names", folder)]

    def existing(self, paths: Sequence[str]) -> list[str]:
        return self._ask("existing", list(paths))

    def read(self, path: str) -> bytes:
        return base64.b64decode(self._ask("read", path))

    def keep_staged(self, wanted: dict[str, str]) -> set[str]:
        """Which of `wanted` an interrupted run has left, whole; the rest of what it left is removed."""
        left = [path.rpartition("/")[2] for path in self._ask("names", "/deploy")]
        if not left:
            return set()
        digests = self.staged_digests([name for name in left if name in wanted])
        kept = {name for name, digest in digests.items() if digest == wanted[name]}
        self._ask("remove_staged", [name for name in left if name not in kept])
        return kept

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

    def write(self, files: dict[str, bytes]) -> None:
        """Write staged files. Several small ones go in one command."""
        batch: list[str] = []
        size = 0
        for name, content in files.items():
            batch.append(f"_deploy['create']({name!r})")
            for start in range(0, max(len(content), 1), _CHUNK):
                piece = content[start : start + _CHUNK]
                if size + len(piece) > _CHUNK:
                    self._exec("\n".join(batch))
                    batch, size = [], 0
                batch.append(f"_deploy['write']({base64.b64encode(piece).decode()!r})")
                size += len(piece)
        batch.append("_deploy['complete']()")
        self._exec("\n".join(batch))

    def switch(self, step: bytes) -> None:
        """Make the new version the one that boots, and put it in place."""
        self.write({"plan.new": step})
        if self.staged_digests(["plan.new"]) != {"plan.new": hashlib.sha256(step).hexdigest()}:
            raise UserError("the device read back another plan than was written: its flash may be worn out")
        self._ask("switch")

    def _digests(self, sizes: Sequence[tuple[str, int]]) -> dict[str, str]:
        found: dict[str, str] = {}
        batch: list[str] = []
        total = 0
        for path, size in sizes:
            batch.append(path)
            total += size
            if total >= _HASH_BATCH:
                found.update(self._ask("digests", batch))
                batch, total = [], 0
        return {**found, **self._ask("digests", batch)} if batch else found

    def _ask(self, function: str, *arguments: object) -> Any:
        printed = self._exec(f"_deploy['answer']({function!r}{''.join(f', {a!r}' for a in arguments)})")
        _, _, framed = printed.partition("\x02")
        answer, end, _ = framed.partition("\x03")
        if not end:  # it was reset while it took in the command
            raise UserError("the deployment was cut short: the board did not answer; run it again")
        return json.loads(answer)

    def _exec(self, command: str) -> str:
        try:
            printed = self._transport.exec(command)
            return printed if isinstance(printed, str) else printed.decode("utf-8", "replace")
        except Exception as error:
            # mpremote's errors hold the device's traceback; the last line says what it was.
            last = str(getattr(error, "error_output", error)).strip().splitlines()
            reason = last[-1] if last else type(error).__name__
            if "ENOSPC" in reason or "OSError: 28" in reason:
                reason = "its flash is full (something else wrote to it meanwhile)"
            raise UserError(f"the deployment was cut short: {reason}; run it again") from error


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
