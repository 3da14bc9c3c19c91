"""The signatures of the drivers that boards use, read from checkouts of the firmwares' sources.

    python -m mpos_host.checks.driver_signatures LVGL_MICROPYTHON [MICROPYTHONOS]

writes boards/drivers.json, which `mpos_host.checks.board_calls` checks each board.py against. Nothing is
imported: Python drivers are read as syntax trees, C modules by the argument tables of their constructors.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mpos_host.project import UserError, root

TABLE = Path("boards/drivers.json")

_COMMON = "api_drivers/common_api_drivers"
_FROZEN = "api_drivers/py_api_drivers/frozen"

# Firmware -> module -> the file that has it.
_PYTHON = {
    "lvgl_micropython": {
        "st7789": f"{_COMMON}/display/st7789/st7789.py",
        "ili9341": f"{_COMMON}/display/ili9341/ili9341.py",
        "sdl_display": f"{_COMMON}/display/sdl_display/sdl_display.py",
        "cst816s": f"{_COMMON}/indev/cst816s.py",
        "ft6x36": f"{_COMMON}/indev/ft6x36.py",
        "xpt2046": f"{_COMMON}/indev/xpt2046.py",
        "sdl_pointer": f"{_COMMON}/indev/sdl_pointer.py",
        "sdl_keyboard": f"{_COMMON}/indev/sdl_keyboard.py",
        "i2c": f"{_COMMON}/frozen/other/i2c.py",
        "display_driver_framework": f"{_FROZEN}/display/display_driver_framework.py",
        "keypad_framework": f"{_FROZEN}/indev/keypad_framework.py",
        "pointer_framework": f"{_FROZEN}/indev/pointer_framework.py",
        "_indev_base": f"{_FROZEN}/indev/_indev_base.py",
        "focaltech_touch": f"{_COMMON}/indev/focaltech_touch.py",
    },
    "MicroPythonOS": {
        "st7789": "internal_filesystem/lib/drivers/display/st7789/st7789.py",
        "ili9341": "internal_filesystem/lib/drivers/display/ili9341/ili9341.py",
        "cst816s": "internal_filesystem/lib/drivers/indev/cst816s.py",
        "ft6x36": "internal_filesystem/lib/drivers/indev/ft6x36.py",
        "xpt2046": "internal_filesystem/lib/drivers/indev/xpt2046.py",
    },
}

# Callable -> the C file and the function whose argument table is its signature.
_C = {
    "lcd_bus.SPIBus": ("ext_mod/lcd_bus/esp32_src/spi_bus.c", "mp_lcd_spi_bus_make_new"),
    "lcd_bus.I80Bus": ("ext_mod/lcd_bus/esp32_src/i80_bus.c", "mp_lcd_i80_bus_make_new"),
    "lcd_bus.SDLBus": ("ext_mod/lcd_bus/sdl_bus/sdl_bus.c", "mp_lcd_sdl_bus_make_new"),
    "machine.SPI.Bus": ("micropy_updates/esp32/machine_hw_spi.c", "machine_hw_spi_bus_make_new"),
    "machine.SPI.Device": ("micropy_updates/esp32/machine_hw_spi.c", "machine_hw_spi_device_make_new"),
}
_C_BUS_METHODS = ("ext_mod/lcd_bus/modlcd_bus.c", ("allocate_framebuffer", "register_callback", "tx_param"))
_C_NAMES = {"lcd_bus": "ext_mod/lcd_bus/modlcd_bus.c"}


@dataclass(frozen=True)
class Signature:
    """The parameters of a callable, without `self`."""

    positional: list[str] = field(default_factory=list)  # those that may be given by position
    keyword: list[str] = field(default_factory=list)  # those that must be given by name
    required: list[str] = field(default_factory=list)
    any_positional: bool = False  # *args
    any_keyword: bool = False  # **kwargs


@dataclass
class Drivers:
    """What one firmware has: signatures by "module.Class" or "module.Class.method", names by module."""

    commit: str
    signatures: dict[str, Signature] = field(default_factory=dict)
    bases: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    def find(self, name: str) -> Signature | None:
        """The signature of "module.Class", of a method of it, or of one that it inherits."""
        if name in self.signatures:
            return self.signatures[name]
        owner, _, member = name.rpartition(".")
        for base in self.bases.get(name, []):
            if (found := self.find(base)) is not None:
                return found
        for base in self.bases.get(owner, []):
            if (found := self.find(f"{base}.{member}")) is not None:
                return found
        return None


def read(firmware: str, checkout: Path) -> Drivers:
    """Read the drivers of `firmware` ("lvgl_micropython" or "MicroPythonOS") from its checkout."""
    drivers = Drivers(_commit(checkout))
    for module, path in _PYTHON[firmware].items():
        _read_python(drivers, module, _text(checkout, path))
    if firmware == "lvgl_micropython":
        _read_c(drivers, checkout)
    return drivers


def load() -> dict[str, Drivers]:
    """The committed table, by firmware."""
    table = json.loads((root() / TABLE).read_text(encoding="utf-8"))
    return {
        firmware: Drivers(
            commit=entry["commit"],
            signatures={name: Signature(**signature) for name, signature in entry["signatures"].items()},
            bases=entry["bases"],
            names=entry["names"],
        )
        for firmware, entry in table.items()
    }


def as_json(table: dict[str, Drivers]) -> str:
    """The table as it is committed: one line a callable, so that a change reads well as a difference."""
    lines = ["{"]
    for firmware, drivers in table.items():
        lines.append(f' {json.dumps(firmware)}: {{\n  "commit": {json.dumps(drivers.commit)},')
        signatures = {
            name: {key: value for key, value in asdict(signature).items() if value}
            for name, signature in drivers.signatures.items()
        }
        for title, part in (("signatures", signatures), ("bases", drivers.bases), ("names", drivers.names)):
            rows = ",\n".join(
                f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(part.items())
            )
            lines.append(f'  "{title}": {{\n{rows}\n  }},')
        lines[-1] = lines[-1][:-1]
        lines.append(" },")
    lines[-1] = " }"
    return "\n".join(lines) + "\n}\n"


def _commit(checkout: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _text(checkout: Path, path: str) -> str:
    try:
        return (checkout / path).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{checkout} is no checkout with {path}: {error.strerror}") from None


def _read_python(drivers: Drivers, module: str, text: str) -> None:
    tree = ast.parse(text)
    imported = {
        alias.name: alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names
    }
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
            _read_class(drivers, f"{module}.{node.name}", module, imported, node)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    drivers.names[module] = sorted(name for name in names if not name.startswith("_"))


def _read_class(
    drivers: Drivers, name: str, module: str, imported: dict[str, str], node: ast.ClassDef
) -> None:
    bases = [ast.unparse(base) for base in node.bases if ast.unparse(base) != "object"]
    drivers.bases[name] = [base if base.split(".")[0] in imported else f"{module}.{base}" for base in bases]
    for member in node.body:
        if isinstance(member, ast.ClassDef):
            _read_class(drivers, f"{name}.{member.name}", module, imported, member)
        elif isinstance(member, ast.FunctionDef):
            if member.name == "__init__":
                drivers.signatures[name] = _python_signature(member.args)
            elif not member.name.startswith("_"):
                drivers.signatures[f"{name}.{member.name}"] = _python_signature(member.args)


def _python_signature(arguments: ast.arguments) -> Signature:
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)][1:]  # not self
    optional = len(arguments.defaults)
    keyword = [argument.arg for argument in arguments.kwonlyargs]
    return Signature(
        positional=positional,
        keyword=keyword,
        required=positional[: len(positional) - optional]
        + [name for name, default in zip(keyword, arguments.kw_defaults, strict=True) if default is None],
        any_positional=arguments.vararg is not None,
        any_keyword=arguments.kwarg is not None,
    )


def _read_c(drivers: Drivers, checkout: Path) -> None:
    for name, (path, function) in _C.items():
        drivers.signatures[name] = _c_signature(_text(checkout, path), function)
    path, methods = _C_BUS_METHODS
    text = _text(checkout, path)
    for bus in ("SPIBus", "I80Bus"):
        for method in methods:
            signature = _c_signature(text, f"mp_lcd_bus_{method}")
            drivers.signatures[f"lcd_bus.{bus}.{method}"] = Signature(
                signature.positional[1:], signature.keyword, signature.required[1:]
            )
    for module, path in _C_NAMES.items():
        names = re.findall(r"MP_ROM_QSTR\(MP_QSTR_([A-Z]\w+)\)", _text(checkout, path))
        drivers.names[module] = sorted(set(names))


def _c_signature(text: str, function: str) -> Signature:
    table = re.search(
        rf"\b{function}\(size_t.*?mp_arg_t \w+\[\] = \{{(.*?)\}};", text, re.DOTALL
    ) or re.search(rf"\b{function}\(const mp_obj_type_t.*?mp_arg_t \w+\[\] = \{{(.*?)\}};", text, re.DOTALL)
    if table is None:
        raise UserError(f"the checkout has no argument table of {function}: its C sources have changed")
    entries = re.findall(r"MP_QSTR_(\w+),([^{}]*)", table[1])
    return Signature(
        positional=[name for name, flags in entries if "KW_ONLY" not in flags],
        keyword=[name for name, flags in entries if "KW_ONLY" in flags],
        required=[name for name, flags in entries if "REQUIRED" in flags],
    )


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        print(
            "usage: python -m mpos_host.checks.driver_signatures LVGL_MICROPYTHON [MICROPYTHONOS]",
            file=sys.stderr,
        )
        return 2
    table = load() if (root() / TABLE).is_file() else {}
    try:
        for firmware, checkout in zip(_PYTHON, arguments, strict=False):
            table[firmware] = read(firmware, Path(checkout))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    (root() / TABLE).write_text(as_json(table), encoding="utf-8")
    print(
        f"{TABLE}: " + ", ".join(f"{firmware} at {drivers.commit[:8]}" for firmware, drivers in table.items())
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
