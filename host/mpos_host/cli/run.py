"""`mpos run`: boot a board, deploy mpos and an app, start it, show its log, and look at its screen."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.deploy import deploy, plan
from mpos_host.board.device import (
    BOOTED,
    DOOR,
    Device,
    DeviceError,
    DeviceGone,
    DeviceTimeout,
    json_for_device,
)
from mpos_host.board.target import Target
from mpos_host.cli.app_log import AppLog
from mpos_host.cli.commands import open_target
from mpos_host.cli.live import live_view
from mpos_host.cli.progress import show_progress
from mpos_host.cli.watch import Watch
from mpos_host.project import App, UserError

# Seconds for the board to come up with the app: an ESP32 imports all of mpos in less than half of it.
_BOOT = 30
_BOOT_TAIL = 200  # characters in which a board's words at its boot are looked for

_LAST_LINES = 40  # of what the board printed, shown if it does not come up

_EXTRAS = "/app_extras.json"

# JSON of whether the loop runs, and of what went wrong since the boot.
_STATE = (
    "[mpos.TaskManager.is_running(),"
    "['%s: %s' % (name, repr(error)) for name, error, _, _ in mpos.TaskManager.last_errors()]]"
)


def run(options: argparse.Namespace) -> int:
    """The command. Returns the exit code."""
    app = project.load_app(options.app)
    extras = parse_extras(options.arg)
    if options.screenshot is not None:
        screen.check_picture(options.screenshot)
    if options.watch and (options.expect or options.screenshot or options.port):
        raise UserError(
            "--watch goes on until Ctrl-C, on a board that this command starts:"
            " leave out --expect, --screenshot and --port",
            2,
        )
    if not options.headless:
        _show_window()
    with open_target(options, log=show) as target, live_view(target, app.title, options.view):
        try:
            start_app(target, app, extras, source=options.source)
            note(f"{app.title} runs on {target.board.name} at {target.port}")
            if options.screenshot is not None:
                target.device.call("await mpos.ui.inspect.draw()", "mpos.ui.inspect")
            good = options.expect is None or expect(target, options.expect, options.timeout)
        finally:
            if options.screenshot is not None and target.exit_reason() is None:
                screen.save_picture(target, options.screenshot)
        if options.watch:
            target.disconnect()
            with Watch(target, app, options.source, note, boot_into):
                follow(target)
        elif options.expect is None and options.screenshot is None:
            follow(target)
    return 0 if good else 1


def start_app(target: Target, app: App, extras: dict[str, str], source: bool = False) -> None:
    """Deploy mpos and `app` and boot into it, as the board would.

    Raises `UserError` if the loop does not run afterwards or the app failed to start.
    """
    device = target.device
    device.enter()
    deploy(device, plan(target.board, [app], source), target.board, show_progress())
    _send_extras(target, extras)
    boot_into(device, app.title)


def boot_into(device: Device, title: str) -> None:
    """Start what has been deployed. Raises as `start_app` does; `title` is the app's."""
    try:
        device.reboot(_BOOT)
        running, errors = device.call(_STATE, "mpos")
    except DeviceTimeout as error:
        for line in error.output.splitlines()[-_LAST_LINES:]:
            show(f"{line}\n")
        raise UserError(
            f"{error}: does {title} hold the loop without an await, or reset the board? The next "
            f"command's Ctrl-C ends what holds it; else {DOOR}"
        ) from None
    except DeviceError as error:
        raise UserError(f"{title} did not start: {error} (the log above says where)") from None
    if not running:
        raise UserError(f"{title} did not start: the log above says why")
    if errors:
        raise UserError(f"{title} failed at the start: {errors[0]} (the log above says where)")


def expect(target: Target, text: str, seconds: float) -> bool:
    """Wait until a visible widget shows `text`; if none does in time, say what was there instead.

    Raises UserError as soon as the board boots meanwhile: what was waited for is gone with the app.
    """
    began = time.monotonic()
    log, printed = target.device.log, ""

    def watch(output: str) -> None:
        nonlocal printed
        log(output)
        printed = (printed + output)[-_BOOT_TAIL:]
        if BOOTED.search(printed):
            raise UserError(f"the board reset itself while {text!r} was waited for (the log says more)")

    target.device.log = watch
    try:
        appeared = screen.wait_text(target, text, seconds)
    finally:
        target.device.log = log
    if appeared:
        note(f"the screen shows {text!r} after {time.monotonic() - began:.1f} s")
        return True
    texts = screen.texts(target)
    shown = ", ".join(repr(shown) for shown in texts) or "no text"
    note(f"{text!r} did not appear in {seconds:g} s; the screen shows {shown}")
    return False


def follow(target: Target) -> None:
    """Show the log until Ctrl-C. Raises `DeviceGone` when the board ends before that."""
    try:
        if target.virtual is None:
            note("Ctrl-C ends the log; the app goes on")
            while True:
                show(target.device.follow(1))
        # Its output can be seen without holding the port, so that mpremote can have that meanwhile.
        position = _shown_until(target)
        target.disconnect()
        note(f"Ctrl-C ends the board; meanwhile: mpremote connect {target.port} resume repl")
        log = AppLog()
        while target.exit_reason() is None:
            lines, position = target.virtual.next_lines(position, timeout=1)
            show(log.feed(lines))
        raise DeviceGone(target.exit_reason() or "it ended")
    except KeyboardInterrupt:
        note("ended")


def _shown_until(target: Target) -> int:
    """The position in the virtual board's output up to which it has been shown."""
    assert target.virtual is not None
    since, mark = target.virtual.output_position, secrets.token_hex(8)
    target.device.call(repr(mark))  # what came before the answer to this has gone to the log
    return since + len(target.virtual.wait_output(f'"{mark}"\x03', since=since).encode())


def show(text: str) -> None:
    """Part of the app's log."""
    sys.stdout.write(text.replace("\r\n", "\n"))
    sys.stdout.flush()


def note(text: str) -> None:
    """What the command itself has to say: on stderr, so that stdout is the app's log."""
    print(f"mpos: {text}", file=sys.stderr, flush=True)


def parse_extras(arguments: list[str]) -> dict[str, str]:
    """The app's extras from NAME=VALUE arguments."""
    extras = {}
    for argument in arguments:
        name, separator, value = argument.partition("=")
        if not separator or not name:
            raise UserError(f"--arg takes NAME=VALUE, not {argument!r}", 2)
        extras[name] = value
    return extras


def _show_window() -> None:
    """Have SDL, on the board that has it, open its window where there is a desktop; else it draws nowhere."""
    for desktop, driver in (("WAYLAND_DISPLAY", "wayland"), ("DISPLAY", "x11")):
        if os.environ.get(desktop):
            os.environ.setdefault("SDL_VIDEODRIVER", driver)


def _send_extras(target: Target, extras: dict[str, str]) -> None:
    device = target.device
    if extras:
        device.write_file(_EXTRAS, json_for_device(extras))
    else:
        device.exec(f"import os\nif {_EXTRAS[1:]!r} in os.listdir('/'): os.remove({_EXTRAS!r})")
