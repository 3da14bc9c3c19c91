"""A board's console over its serial port: run code, read what it prints, interrupt it, reset it.

The protocol is mpremote's (`SerialTransport`); what is added is a deadline on every wait that names what
was waited for, errors of one line, and a way to talk to a board whose app prints meanwhile. `Device` neither
resets nor stops a running app unless asked.
"""

from __future__ import annotations

import ast
import base64
import json
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mpos_host.board.serial_stream import DeviceGone, DeviceTimeout, open_transport
from mpos_host.project import UserError

__all__ = ["BOOTED", "Device", "DeviceError", "DeviceGone", "DeviceTimeout", "json_for_device"]


_PROMPT = b">"
_RAW = b"raw REPL; CTRL-B to exit\r\n"

# A command without raw-paste goes in pieces of so many bytes, with a pause (seconds) for the device to take
# them in: a serial line has no other flow control. The numbers are mpremote's.
_PLAIN_PIECE = 256
_PLAIN_PAUSE = 0.01

# Seconds: what esptool holds the reset pin for.
_RESET_PULSE = 0.1

# Bytes of a file in a command: 1 KB of base64, for which any heap has room.
_PIECE = 768

# What the friendly REPL says before its first prompt.
_BANNER = re.compile(r"MicroPython [^\n]*\nType \"help\(\)\"[^\n]*\n$|^(\r\n)+$")

# What a board prints when it boots: the ESP32's ROM, and MicroPython's REPL.
BOOTED = re.compile(r'^rst:0x|^Type "help\(\)" for more information', re.MULTILINE)


def json_for_device(value: object) -> bytes:
    """JSON in UTF-8, without escapes: MicroPython makes two characters of one like \\ud83d\\ude00."""
    return json.dumps(value, ensure_ascii=False).encode()


# What helps where even Ctrl-C does not: device code that ends or hangs at each start.
DOOR = "send Ctrl-C while it boots, and it starts without its app (docs/ctrl-c.md)"


class DeviceError(UserError):
    """The code raised on the device. `traceback` is what the device printed about it."""

    def __init__(self, traceback: str, output: str = ""):
        lines = traceback.strip().splitlines()
        super().__init__(lines[-1] if lines else "error on the device")
        self.traceback = traceback.strip()
        self.output = output


class Device:
    """The console of the board at `port`. Use as a context manager, or `close()` it.

    `gone` returns why the board died, or None while it lives; it is asked while waiting.
    `log` gets what the board prints while nobody runs a command on it (an app's output).

    Raises `UserError` if the port is missing, busy or not permitted.
    """

    def __init__(
        self,
        port: str,
        gone: Callable[[], str | None] | None = None,
        log: Callable[[str], None] | None = None,
    ):
        self.port = port
        self.log = log or (lambda text: None)
        self._gone = gone or (lambda: None)
        self._cut_short = False  # a command was, so that its answer is still to come
        self.transport, self._stream = open_transport(port, self._gone)

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the port back. A console that was in raw mode is left in friendly mode."""
        try:
            if self.transport.in_raw_repl:
                self.transport.exit_raw_repl()
        except (OSError, UserError):
            pass  # the port is gone: there is nobody to tell
        finally:
            try:
                self.transport.close()
            except OSError:
                self._stream.close()

    def enter(self, soft_reset: bool = False, timeout: float = 10) -> None:
        """Be in the raw REPL: interrupts a command that runs there. With `soft_reset` on a fresh heap."""
        if self.transport.in_raw_repl and not soft_reset and not self._cut_short:
            return
        what = "the raw REPL after a soft reset" if soft_reset else "the raw REPL"
        self.transport.in_raw_repl = False
        try:
            with self._stream.deadline(what, timeout):
                self.transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=math.ceil(timeout) + 1)
        except DeviceTimeout as error:
            raise DeviceTimeout(f"{what}: {DOOR}", error.seconds, error.output) from None
        self._take_prompt(what, timeout)
        self._cut_short = False

    def enter_beside(self, timeout: float = 10) -> None:
        """Be in the raw REPL without a Ctrl-C, which could end what the app does.

        The console must be at its friendly prompt or in the raw REPL, with nothing typed.
        """
        self._stream.write(b"\x02\x01")
        self._log(self._stream.until(_RAW, "the raw REPL", timeout))
        self.transport.in_raw_repl = True
        self._take_prompt("the raw REPL", timeout)

    def leave(self, timeout: float = 10) -> None:
        """Be at the friendly prompt; returns when it is there."""
        if self.transport.in_raw_repl:
            self._stream.skip(_PROMPT)
            self.transport.exit_raw_repl()
            self._log(_BANNER.sub("", self._stream.until(b">>> ", "the friendly REPL", timeout)))

    def exec(
        self, code: str, timeout: float = 10, output: Callable[[str], None] | None = None, what: str = ""
    ) -> str:
        """Run `code` in the raw REPL and return what it printed.

        `timeout` is for all of it, in seconds; `output` gets what is printed as it comes; `what` names the
        code in the timeout's message. For a board whose app prints meanwhile, use `call()`.

        Raises `DeviceError` when the code raises, `DeviceTimeout` (the code goes on: `interrupt()`).
        """
        what = what or f"the end of {code.strip().splitlines()[0]!r}"
        until = time.monotonic() + timeout
        with self._unless_interrupted():
            self._send(code, what, timeout)
            printed = self._stream.until(b"\x04", what, until - time.monotonic(), output)
            self._finish(printed, what, until)
        return printed.replace("\r\n", "\n")

    def eval(self, expression: str, timeout: float = 10) -> Any:
        """The value of an expression whose repr is a Python literal."""
        return ast.literal_eval(self.exec(f"print(repr({expression}))", timeout).strip())

    def call(self, expression: str, imports: str = "", timeout: float = 10, before: str = "") -> Any:
        """The value of `expression` on a board whose app runs and prints; the value goes through JSON.

        What the app prints meanwhile goes to `log`. `imports` names modules, separated by commas; `before` is
        code to run first. With mpos on the board, both may await.

        Raises `DeviceError` when the expression raises, `DeviceTimeout`.
        """
        print_value = f"print(end='\\x02%s\\x03' % json.dumps({expression}))"
        code = f"{before}\n{print_value}"
        with self._unless_interrupted():
            return json.loads(self._framed(code, f"json,{imports}".strip(","), timeout, expression))

    def printed_by(self, code: str, imports: str = "", timeout: float = 10) -> str:
        """What `code` prints, on a board whose app prints as well. Raises as `call()` does."""
        with self._unless_interrupted():
            return self._framed(f"print(end='\\x02')\n{code}\nprint(end='\\x03')", imports, timeout, code)

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file on the device. Raises `DeviceError` (an OSError there)."""
        self.exec(f"import binascii\n_file = open({path!r}, 'wb')\n_write = _file.write")
        for start in range(0, len(content), _PIECE):
            piece = base64.b64encode(content[start : start + _PIECE]).decode()
            self.exec(f"_write(binascii.a2b_base64({piece!r}))")
        self.exec("_file.close()\ndel _file, _write")

    def follow(self, seconds: float) -> str:
        """What the app prints; returns with the first of it, or with nothing after `seconds`."""
        self._stream.skip(_PROMPT)
        return self._stream.for_a_while(seconds)

    def press_enter(self) -> None:
        """Enter at the friendly prompt: another prompt follows. A board that boots keeps it until then."""
        self._stream.write(b"\r")

    def send_line(self, text: str) -> None:
        """Give the code that runs a line on its stdin."""
        self._stream.write(text.encode() + b"\n")

    def interrupt(self, timeout: float = 5) -> str:
        """Ctrl-C to the command that runs; waits for its end and returns the traceback it leaves."""
        what = "the end of the command after Ctrl-C"
        self._stream.write(b"\x03")
        self._stream.until(b"\x04", what, timeout)
        traceback = self._stream.until(b"\x04", what, timeout).strip()
        self._take_prompt(what, timeout)
        return traceback

    def reboot(self, timeout: float = 20) -> None:
        """Soft reset as from the friendly REPL, so that main.py runs; returns in the raw REPL beside it.

        What is printed on the way goes to `log`, also what the app prints as soon as the console is there.
        """
        self.enter()
        self.transport.exit_raw_repl()
        self._stream.until(b">>> ", "the friendly REPL", timeout)
        self._stream.write(b"\x04")
        self._stream.until(b"soft reboot\r\n", "the soft reset", timeout)
        printed = self._stream.until(b">>> ", "the prompt after main.py started", timeout)
        self.log(_BANNER.sub("", printed))
        # Not by mpremote's way, which drops what it finds there.
        self._stream.write(b"\x01")
        self._log(self._stream.until(_RAW, "the raw REPL", timeout).removesuffix("\r\n"))
        self.transport.in_raw_repl = True
        self._take_prompt("the raw REPL", timeout)

    def hard_reset(self) -> None:
        """Reset the chip. The port may vanish for a while: close this and open another."""
        self.enter()
        self._stream.skip(_PROMPT)
        # The frame is there for the same reason as in _framed.
        self._stream.write(b"print(end='\\x02\\x03')\nimport machine\nmachine.reset()\n\x04")
        self.transport.in_raw_repl = False

    def pulse_reset_line(self) -> None:
        """Reset a board that answers nothing, by the line RTS, which boards for an ESP32 wire to its reset.

        As esptool's HardReset does it. A port without that line (TinyUSB's, a pseudo-terminal) is left alone.
        """
        try:
            self._stream.dtr = False  # the boot pin: run, not the boot loader
            self._stream.rts = True
            time.sleep(_RESET_PULSE)
            self._stream.rts = False
        except OSError:
            pass

    @contextmanager
    def _unless_interrupted(self) -> Iterator[None]:
        """After a Ctrl-C to this program the rest of a command's answer is not taken for the next one's."""
        try:
            yield
        except KeyboardInterrupt:
            self._cut_short = True
            raise

    def _framed(self, code: str, imports: str, timeout: float, name: str) -> str:
        """Run `code` and return what it prints between the bytes 2 and 3; the rest is the app's: to `log`.

        The command is given without raw-paste: with it, mpos holds back what the app prints. An empty frame
        comes first, so that the "OK" that answers the command can be told from the app's text.
        """
        self.enter()
        what = f"the end of {name.strip().splitlines()[0]}"
        until = time.monotonic() + timeout
        command = f"print(end='\\x02\\x03')\n{f'import {imports}' if imports else ''}\n{code}\x04".encode()
        self._stream.skip(_PROMPT)
        for start in range(0, len(command), _PLAIN_PIECE):
            if start:
                time.sleep(_PLAIN_PAUSE)
            self._stream.write(command[start : start + _PLAIN_PIECE])

        def read(ending: bytes, output: Callable[[str], None] | None = None) -> str:
            return self._stream.until(ending, what, until - time.monotonic(), output, also=b"\x04")

        self._log(_without_answer(read(b"\x02")))
        result = ""
        if self._stream.stopped_at == b"\x02":
            read(b"\x03")
            read(b"\x02", self._log)
        if self._stream.stopped_at == b"\x02":
            result = read(b"\x03")
        if self._stream.stopped_at == b"\x03":
            read(b"\x04", self._log)
        self._finish(result, what, until)
        return result.replace("\r\n", "\n")

    def _send(self, code: str, what: str, timeout: float) -> None:
        """Give the raw REPL a command by its raw-paste mode, in which the device says how much it can take.

        As mpremote does it, but what an app prints meanwhile (a thread, an app without mpos) is told from the
        device's answers, which are control characters. Protocol: MicroPython's documentation, "Raw-paste
        mode".
        """
        self.enter()
        until = time.monotonic() + timeout
        self._stream.skip(_PROMPT)
        self._stream.write(b"\x05A\x01")
        self._log_until(b"R\x01", what, until)
        with self._stream.deadline(what, timeout):
            window = int.from_bytes(self._stream.read(2), "little")
        rest, room = code.encode(), window
        while rest:
            while not room or self._stream.has(b"\x01", b"\x04"):
                self._log_until(b"\x01", what, until, also=b"\x04")
                if self._stream.stopped_at == b"\x04":
                    self._stream.write(b"\x04")
                    return  # the device wants no more: it says why where a command's errors are
                room += window
            self._stream.write(rest[:room])
            rest, room = rest[room:], room - len(rest[:room])
        self._stream.write(b"\x04")
        self._log_until(b"\x04", what, until)

    def _log_until(self, ending: bytes, what: str, until: float, also: bytes | None = None) -> None:
        printed = self._stream.until(ending, what, until - time.monotonic(), also=also)
        self._log(printed.replace("\x01", ""))

    def _log(self, printed: str) -> None:
        if printed:
            self.log(printed)

    def _finish(self, printed: str, what: str, until: float) -> None:
        """Read what comes after a command's output: its errors and the prompt."""
        errors = self._stream.until(b"\x04", what, until - time.monotonic())
        self._take_prompt(what, until - time.monotonic())
        died = self._gone()
        if died is not None:
            raise DeviceGone(died, printed, errors)
        if errors:
            raise DeviceError(errors, printed)

    def _take_prompt(self, what: str, timeout: float) -> None:
        """Wait for the prompt, and leave it for mpremote's transport, which looks for it before a command."""
        self._stream.until(_PROMPT, what, timeout)
        self._stream.put_back(_PROMPT)


def _without_answer(printed: str) -> str:
    """Drop the "OK" for a command: the last one that begins a line, as the app may print before and after."""
    before, found, after = f"\n{printed}".rpartition("\nOK")
    return f"{before}\n{after}"[1:] if found else printed
