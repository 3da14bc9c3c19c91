"""The stubs that device code is checked against: MicroPython's (esp32) and LVGL's, in typings/.

They shadow CPython's standard library, so host code is checked without them. What they lack or have wrong is
mended here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Two packages of stubs own the same files: only this one is right for device code.
PACKAGE = "micropython-esp32-stubs==1.29.0.post1"

# Modules that no stub describes: those of some firmware only, and the board's own, which differs by board.
# Drivers that are not in each firmware are asked for by name, see mpos.hardware.driver.
_ANY_MODULES = ("board", "i2c", "lcd_bus", "sdl_display", "sdl_keyboard", "sdl_pointer", "virtual_hw")

_ANYTHING = "from typing import Any\n\ndef __getattr__(name: str) -> Any: ...\n"

# asyncio.core is left out of the stubs; these are what its functions share (extmod/asyncio/core.py).
_ASYNCIO_CORE = _ANYTHING + "cur_task: Any\n_task_queue: Any\n_io_queue: Any\n"

# Functions of LVGL without arguments, to which its stub gives one.
_WITHOUT_ARGUMENT = re.compile(
    r"def (delete|delete_refr_timer|flush_ready|focus_next|focus_prev|init|pause|ready|remove_all_objs"
    r"|reset|resume|set_default|trigger_activity)\(self, (?:arg|disp): Any\)"
)

# Structs of LVGL whose methods the stub has in full. Of the others it leaves out the fields.
_WITHOUT_FIELDS = ("anim_t", "display_t", "event_t", "group_t", "indev_t", "obj", "style_t", "timer_t")


def folder(root: Path) -> Path:
    """The folder with the stubs, made when it is not there or this file has changed."""
    typings = root / "typings"
    stamp = typings / ".made-by"
    maker = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == maker:
        return typings
    shutil.rmtree(typings, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        + ["--root-user-action=ignore", "--target", str(typings), PACKAGE],
        check=True,
        timeout=300,
    )
    for module in _ANY_MODULES:
        (typings / f"{module}.pyi").write_text(_ANYTHING)
    asyncio = typings / "stdlib/asyncio"
    (asyncio / "core.pyi").write_text(_ASYNCIO_CORE)
    _add(asyncio / "__init__.pyi", "from . import core as core\n")
    _replace(
        typings / "stdlib/collections/__init__.pyi",
        "def __init__(self, iterable: Iterable[_T], maxlen: int | None = None) -> None",
        "def __init__(self, iterable: Iterable[_T], maxlen: int | None = None, flags: int = 0) -> None",
    )
    for name in ("StringIO", "BytesIO"):  # without any method in the stubs
        methods = f"class {name}:\n    def __getattr__(self, name: str) -> Any: ..."
        _replace(typings / "stdlib/io.pyi", f"class {name}:", methods)
    _add(typings / "stdlib/io.pyi", "from typing import Any\n")
    (typings / "lvgl.pyi").write_text(_lvgl())
    stamp.write_text(maker)
    return typings


def _lvgl() -> str:
    """LVGL's own stub. It carries the name of its extension module, under which no checker looks for it."""
    spec = importlib.util.find_spec("lvgl")
    assert spec is not None and spec.origin is not None, "LVGL is not installed"
    stub = Path(spec.origin).with_suffix(".pyi").read_text(encoding="utf-8")
    stub = _WITHOUT_ARGUMENT.sub(r"def \1(self)", stub)
    stub = stub.replace("def set_textarea(self)", "def set_textarea(self, textarea: Any)")
    has_fields = re.compile(rf"^class (?!(?:{'|'.join(_WITHOUT_FIELDS)})\()(\w+)\(Struct\)", re.MULTILINE)
    stub = has_fields.sub(r"class \1(_Fields)", stub)
    fields = "class _Fields(Struct):\n    def __getattr__(self, name: str) -> Any: ...\n"
    return stub.replace("class _lv_mp_int_wrapper", fields + "class _lv_mp_int_wrapper", 1)


def _add(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has changed: mpos_host.checks.stubs no longer fits it"
    path.write_text(text.replace(old, new), encoding="utf-8")
