"""The firmware of the virtual board, compiled: a folder of .mpy files that the VM imports when it boots."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from mpos_host.board.compiler import Source, cache_folder, compile_all
from mpos_host.project import UserError


def build_firmware() -> Path:
    """The folder with host/mpos_host/virtual/firmware compiled; made once per content. Raises UserError."""
    source = Path(__file__).with_name("firmware")
    paths = sorted(source.rglob("*.py"))
    names = [path.relative_to(source) for path in paths]
    modules = compile_all(
        Source(path, f"firmware/{name.as_posix()}", "x64") for path, name in zip(paths, names, strict=True)
    )
    digest = hashlib.sha256()
    for name, module in zip(names, modules, strict=True):
        digest.update(f"{name} {len(module)}\n".encode() + module)
    folder = cache_folder() / f"firmware-{digest.hexdigest()[:32]}"
    files = {name.with_suffix(".mpy"): module for name, module in zip(names, modules, strict=True)}
    if _holds(folder, files):
        return folder
    # Made under another name and renamed when complete: other processes may be at the same.
    building = Path(tempfile.mkdtemp(dir=folder.parent, prefix="firmware-new-"))
    try:
        for name, module in files.items():
            target = building / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(module)
        if folder.exists():  # damaged: out of the way, as a board may be reading it
            folder.rename(building.with_name(f"{building.name}-damaged"))
        os.rename(building, folder)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if not _holds(folder, files):
            raise UserError(f"cannot write the firmware to {folder}: {error.strerror}") from None
    shutil.rmtree(building.with_name(f"{building.name}-damaged"), ignore_errors=True)
    return folder


def _holds(folder: Path, files: dict[Path, bytes]) -> bool:
    try:
        return all((folder / name).read_bytes() == module for name, module in files.items())
    except OSError:
        return False
