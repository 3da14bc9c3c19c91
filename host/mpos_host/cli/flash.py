"""The steps of flash.sh, each a command: `python -m mpos_host.cli.flash STEP BOARD [options]`.

Steps before `deploy` and `erase` write nothing. Every error is one line that says what to do.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mpos_host import project
from mpos_host.board import ports as boards
from mpos_host.board.deploy import check_device, deploy, plan
from mpos_host.board.device import DOOR, Device, DeviceError, DeviceGone, DeviceTimeout
from mpos_host.board.ports import Port
from mpos_host.board.target import parse_size
from mpos_host.cli.progress import show_progress
from mpos_host.project import App, Board, UserError

_STEPS_AT_A_PORT = ("probe", "erase", "deploy", "boot", "selftest")
_BOOT_S = 45  # an ESP32 with a new file system formats it at the first boot
_ANSWER = 10  # seconds: an app that holds the loop is ended within two
_PAUSE_S = 0.1  # between two looks for a port
_LAST_OUTPUT = 16 * 1024  # characters that are kept of what it prints until it is up
_LAST_LINES = 40  # of them, that are shown if it does not come up
_QUIET_S = 2  # no output for so long: it boots, or the message was over before the port could be opened
_PROMPT = ">> "  # the end of it: follow() may have taken the first character for the raw REPL's


def check(board: Board, apps: Sequence[App], firmware: str | None) -> None:
    """Compile everything, and look at the firmware image."""
    files = plan(board, apps)
    print(f"{len(files)} files, {sum(len(content) for _, content in files) / 1024:.0f} KB for {board.title}")
    if firmware is not None:
        print(f"{firmware}: firmware for {check_firmware(board, Path(firmware))}")


def check_firmware(board: Board, image: Path) -> str:
    """The chip that `image` is for, by esptool. Raises UserError if it is not the board's."""
    command = [sys.executable, "-m", "esptool", "image-info", str(image)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        raise UserError(f"esptool did not finish reading {image} in 60 s") from None
    found = re.search(r"Detected image type: (\S+)", done.stdout)
    if found is None:
        raise UserError(f"{image} is no firmware image for an ESP chip: take the .bin for address 0x0")
    chip = found[1].lower().replace("-", "")
    if chip != board.facts["chip"]:
        raise UserError(f"{image} is for {found[1]}, but {board.name} has an {board.facts['chip'].upper()}")
    size, flash = image.stat().st_size, board.facts["flash"]["size"]
    if size > parse_size(flash):
        raise UserError(f"{image} has {size / 2**20:.1f} MB, but the flash of {board.name} has {flash}B")
    return found[1]


def find(board: Board) -> str:
    """The port of the board, by its USB id; asks if there are several and somebody to ask."""
    ask = _ask if sys.stdin.isatty() else None
    return boards.find_port(board, boards.connected(), ask).device


def probe(board: Board, port: str) -> None:
    """Look whether the device at `port` is the board, and whether its firmware has what mpos needs."""
    with Device(port) as device:
        try:
            device.enter(soft_reset=True, timeout=_ANSWER)
        except DeviceTimeout:
            raise UserError(
                f"no MicroPython answers at {port}: press the board's reset button and try again (if its app "
                f"hangs it, {DOOR}), or write firmware with --firmware "
                "(docs/from-bare-board-to-app.md says where it comes from)"
            ) from None
        device.exec("import sys")
        machine, mpy = device.eval("[sys.implementation._machine, sys.implementation._mpy]")
        check_device({"machine": machine, "mpy": mpy}, board)
        needs = board.facts.get("firmware", {})
        missing = device.eval(_missing(needs.get("modules", []), needs.get("drivers", [])))
        if missing:
            raise UserError(
                f"the firmware on {board.name} lacks {', '.join(missing)}: "
                "write one that has them, with --firmware"
            )
    print(f"{machine}: it has what mpos needs")


def identify(port: str) -> str:
    """What tells the board at `port` from others after a reset; empty for a port that keeps its name."""
    return next((one.identity for one in boards.connected() if one.device == port), "")


def erase(port: Port) -> None:
    """Remove all files from the board."""
    with _reach(port) as device:
        device.exec(_WIPE, timeout=60, what="the files to be removed")


def deploy_to(board: Board, port: Port, apps: Sequence[App]) -> None:
    """Bring mpos, the board and apps onto the board. What runs on it is stopped."""
    with _reach(port) as device:
        print(deploy(device, plan(board, apps), board, show_progress()))


def boot(board: Board, port: Port) -> None:
    """Reset the board and wait until mpos is up."""
    deadline = time.monotonic() + _BOOT_S
    with _connect(port, deadline) as device:
        device.hard_reset()
    while True:
        try:
            with _connect(port, deadline) as device:
                print(_boot_message(device, f"mpos: {board.name} is up", deadline))
                return
        except DeviceGone:
            # A port of the chip itself is there for a moment after the reset, and then comes anew.
            if time.monotonic() >= deadline:
                raise


def _boot_message(device: Device, message: str, deadline: float) -> str:
    """The line with `message`, when the board prints it; raises UserError with what it prints instead."""
    printed, heard = "", time.monotonic()
    while message not in printed:
        new = device.follow(0.5)
        printed = printed[-_LAST_OUTPUT:] + new
        now = time.monotonic()
        heard = now if new else heard
        quiet = now - heard >= _QUIET_S
        has_prompt = quiet and printed.endswith(_PROMPT)
        if has_prompt and _is_running(device):
            return "mpos is up (its message was over before the port was back)"
        # A board that boots again and again is never quiet.
        if has_prompt or now >= deadline:
            last = "\n".join(printed.strip().splitlines()[-_LAST_LINES:])
            raise UserError(f"mpos did not start. The board printed:\n{last or '(nothing)'}")
        if quiet:
            # Ctrl-C would end the main.py of one that boots; this is answered once somebody serves the REPL.
            device.press_enter()
            heard = now
    return printed[printed.index(message) :].splitlines()[0]  # without the answer to the reset in front of it


def selftest(board: Board, port: Port) -> None:
    """Ask the running board for what shows that it works; raises UserError if something does not."""
    with _connect(port, time.monotonic() + _BOOT_S) as device:
        first = _state(device)
        time.sleep(1)
        second = _state(device)
    stats, lvgl = second["stats"], second["stats"].get("lvgl", {})
    size = board.facts["display"]
    checks = [
        (
            "the loop turns",
            stats["running"] and stats["polls"] > first["stats"]["polls"],
            f"{stats['tasks']} tasks",
        ),
        ("a frame was drawn", lvgl.get("frames", 0) > 0, f"{lvgl.get('frames', 0)} frames"),
        (
            "the display has its size",
            second["size"] == [size["width"], size["height"]],
            " x ".join(map(str, second["size"])),
        ),
        ("no task failed", not second["errors"], "; ".join(second["errors"]) or "none"),
        ("memory is left", stats["heap_free"] > 16 * 1024, f"{stats['heap_free'] // 1024} KB free"),
        ("the flash has space", second["free"] > 0, f"{second['free'] // 1024} KB free"),
    ]
    for title, good, figure in checks:
        print(f"{'ok  ' if good else 'FAIL'}  {title:26} {figure}")
    if not all(good for _, good, _ in checks):
        raise UserError("the self-test failed: the lines marked FAIL say where")


def _state(device: Device) -> dict:
    return device.call(_STATE, "mpos,os,lvgl", timeout=10)


_STATE = (
    "{'stats': mpos.TaskManager.stats(),"
    "'errors': ['%s: %r' % (name, error) for name, error, _, _ in mpos.TaskManager.last_errors()],"
    "'size': [lvgl.display_get_default().get_horizontal_resolution(),"
    " lvgl.display_get_default().get_vertical_resolution()],"
    "'free': os.statvfs('/')[0] * os.statvfs('/')[3]}"
)

_WIPE = """
import os
def _wipe(folder):
    for entry in os.ilistdir(folder or '/'):
        path = folder + '/' + entry[0]
        if entry[1] == 0x4000:
            _wipe(path)
            os.rmdir(path)
        else:
            os.remove(path)
_wipe('')
"""


def _missing(modules: list[str], drivers: list[str]) -> str:
    """An expression for the device: which of these its firmware cannot import."""
    device_code = (
        "def can(name):\\n"
        " try:\\n"
        "  __import__(name)\\n"
        "  return True\\n"
        " except ImportError:\\n"
        "  return False\\n"
        f"missing = [n for n in {modules!r} if not can(n)]\\n"
        f"missing += [n for n in {drivers!r}"
        " if not (can(n) or can('drivers.display.' + n) or can('drivers.indev.' + n))]"
    )
    return f"(lambda ns: (exec('''{device_code}''', ns), ns['missing'])[1])({{}})"


def _is_running(device: Device) -> bool:
    try:
        return bool(device.call("mpos.TaskManager.is_running()", "mpos", timeout=5))
    except (DeviceTimeout, DeviceError):
        return False


def _reach(port: Port) -> Device:
    """The raw REPL of a board that may still be booting, after a soft reset."""
    deadline = time.monotonic() + _BOOT_S
    while True:
        device = _connect(port, deadline)
        try:
            device.enter(soft_reset=True)
            return device
        except (DeviceTimeout, DeviceGone):
            device.close()
            if time.monotonic() >= deadline:
                raise


def _connect(port: Port, deadline: float) -> Device:
    """Open the port of a board that may be in the middle of a reset, also under another name."""
    while True:
        try:
            if port.identity == "@":  # no USB device: a pseudo-terminal, or a real serial port
                return Device(port.device)
            return Device(boards.find_again(port, deadline - time.monotonic()).device)
        except UserError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE_S)


def _ask(ports: Sequence[Port]) -> Port:
    for number, port in enumerate(ports, 1):
        print(
            f"{number}) {port.device}  {port.usb_id} {port.description} {port.serial_number}", file=sys.stderr
        )
    while True:
        print("Which one? ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            raise UserError("no port was chosen")
        if answer.strip().isdigit() and 1 <= int(answer) <= len(ports):
            return ports[int(answer) - 1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step. Returns the exit code: 0, 1 for a failure, 2 for a command that cannot be right."""
    parser = argparse.ArgumentParser(prog="python -m mpos_host.cli.flash", description=__doc__)
    parser.add_argument("step", choices=["check", "find", "identify", *_STEPS_AT_A_PORT])
    parser.add_argument("board")
    parser.add_argument("--port")
    parser.add_argument("--known", default="", help="what `identify` said, to find the port again")
    parser.add_argument("--firmware")
    parser.add_argument("--app", action="append", default=[])
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except UserError as error:
        print(f"flash.sh: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    board = project.load_board(options.board)
    apps = [project.load_app(where) for where in options.app or board.facts.get("deploy", {}).get("apps", [])]
    if options.step == "check":
        check(board, apps, options.firmware)
    elif options.step == "find":
        print(find(board))
    elif options.port is None:
        raise UserError(f"{options.step} needs --port", 2)
    elif options.step == "identify":
        print(identify(options.port))
    else:
        port = Port.known_as(options.port, options.known)
        if options.step == "probe":
            probe(board, port.device)
        elif options.step == "erase":
            erase(port)
        elif options.step == "deploy":
            deploy_to(board, port, apps)
        elif options.step == "boot":
            boot(board, port)
        else:
            selftest(board, port)


if __name__ == "__main__":
    sys.exit(main())
