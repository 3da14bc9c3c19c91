"""Bringing mpos, a board and apps onto a device, so that it can be cut short anywhere.

    files = plan(board, apps)
    deploy(transport, files, board)

Only what differs (by SHA-256, read on the device) is sent. It is written beside the version in use, read
back, and put in place by one rename of a file (boards/shared/deploy_switch.py says how): until then the
device boots the old version, after it the new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mpos_host.board import ca_bundle, compiler
from mpos_host.board.deploy_device import DeviceSide, Transport
from mpos_host.board.device import json_for_device
from mpos_host.project import App, Board, UserError, root

# Architectures by the number in sys.implementation._mpy >> 10 (py/persistentcode.h, MP_NATIVE_ARCH_...).
_ARCHITECTURES = (
    *("none", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc", "rv64imc"),
)
_OURS = ["/lib/deploy_switch.mpy", "/lib/deploy_switch.py"]  # on every board that mpos was deployed to
_KEPT = "/main.py.before_mpos"
_LONGEST_NAME = 255  # bytes (LFS_NAME_MAX in lib/littlefs/lfs2.h)


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
    compiled, two apps have one name, or a module is there as .py and as .mpy.
    """
    packages = [app.package for app in apps]
    for package in packages:
        if packages.count(package) > 1:
            raise UserError(f"two of the apps are called {package}", 2)
    shared = root() / "boards" / "shared"
    found = [
        (shared / "deploy_switch.py", "/lib/deploy_switch.py"),
        *mpos_files(),
        (board.directory / "board.py", "/lib/board.py"),
        *(
            (board.directory / name, f"/lib/{name}")
            for name in board.facts.get("deploy", {}).get("files", [])
        ),
    ]
    for app in apps:
        found += _tree(app.directory, f"/apps/{app.package}")
    _refuse_twins(found)
    entries = (
        _compiled(found, board.arch) if not source else [(name, path.read_bytes()) for path, name in found]
    )
    entries.append((ca_bundle.PATH, ca_bundle.ca_bundle()))
    if apps:
        entries.append(("/app.txt", packages[0].encode()))
    # Last, because it needs all of the others.
    entries.append(("/main.py", (shared / "main.py").read_bytes()))
    return Files(entries, ["/lib/mpos", *(f"/apps/{package}" for package in packages)])


def mpos_files() -> list[tuple[Path, str]]:
    """The files of mpos itself, whatever the board, with their paths there."""
    folder = root() / "mpos"
    found = [(path, target) for path, target in _tree(folder, "/lib/mpos") if path != folder / "manifest.py"]
    return found + _tree(root() / "lib", "/lib")


def deploy(
    transport: Transport,
    files: Files,
    board: Board | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Deployed:
    """Bring `files` onto the device behind `transport`. A loop that runs there goes on, with the old code.

    `progress` is told how many files have been sent, and how many are to be.

    A main.py that was there before mpos is kept as main.py.before_mpos.

    With `board`, the device is checked to be one first. Raises UserError, before anything is written, if it
    is another one, its MicroPython is too old, a name is none for its flash or taken by what is there, or
    there is not enough space; and later if the connection or the file system fails. In any case the device
    boots the old or the new version, and a second run goes on where the first ended.
    """
    _check_names(path for path, _ in files)
    device = DeviceSide(transport)
    try:
        device.start()
        if board is not None:
            check_device(device.identity(), board)
        return _Deployment(device, files).run(progress)
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
    """All files under `folder` with their paths on the device; not what editors and CPython leave there.

    Raises UserError for a symlink that leads out of it: an app from elsewhere could take any file along.
    """
    inside = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise UserError(
                f"{path} is a link to {path.resolve()}, which is not in {folder}: copy it there", 2
            )
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


def _refuse_twins(found: Iterable[tuple[Path, str]]) -> None:
    by_name = {name: path for path, name in found}
    for name, path in by_name.items():
        twin = by_name.get(_twin(name) or "")
        if twin is not None:
            raise UserError(f"{path} and {twin} are one module: remove one of them", 2)


def _check_names(paths: Iterable[str]) -> None:
    for path in paths:
        try:
            longest = max(map(len, path.encode().split(b"/")))
        except UnicodeEncodeError:
            raise UserError(f"a file's name that is not UTF-8: {path!r}", 2) from None
        if longest > _LONGEST_NAME:
            raise UserError(f"a name of more than {_LONGEST_NAME} bytes: {path}", 2)


def _twin(path: str) -> str | None:
    """The other name under which `import` would find the module `path`."""
    suffix = PurePosixPath(path).suffix
    return {".py": path[:-3] + ".mpy", ".mpy": path[:-4] + ".py"}.get(suffix)


class _Deployment:
    """One run of `deploy` after the checks."""

    def __init__(self, device: DeviceSide, files: Files):
        self._device = device
        self._folders = files.folders
        self._contents = dict(files.entries)

    def run(self, progress: Callable[[int, int], None] | None) -> Deployed:
        self._keep_main()
        self._digests = {
            path: hashlib.sha256(content).hexdigest() for path, content in self._contents.items()
        }
        present = self._device.digests(list(self._contents.items()))
        changed = [path for path in self._contents if present.get(path) != self._digests[path]]
        removed = self._stale()
        if not changed and not removed:
            return Deployed([], [], 0)
        self._device.check_places(changed)
        staged = {self._staged_name(path): path for path in changed}
        kept = self._device.keep_staged({name: self._digests[path] for name, path in staged.items()})
        missing = {name: self._contents[path] for name, path in staged.items() if name not in kept}
        step = json_for_device({"put": list(staged.items()), "remove": removed})
        self._device.check_space([*missing.values(), step])
        self._device.write(missing, progress)
        self._verify({name: self._digests[path] for name, path in staged.items()})
        self._device.switch(step, len(staged) + len(removed))
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
