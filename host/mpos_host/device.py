"""A board's console over its serial port: run code, read what it prints, interrupt it, reset it.

The protocol is mpremote's (`SerialTransport`); what is added is a deadline on every wait that names what
was waited for, errors of one line, and a way to talk to a board whose app prints meanwhile. `Device` neither
resets nor stops a running app unless asked.
"""

from __future__ import annotations

import ast
import json
import math
import re
import time
from collections.abc import Callable
from typing import Any

from mpremote.transport import TransportError

from mpos_host.project import UserError
from mpos_host.serial_stream import DeviceGone, DeviceTimeout, open_transport

__all__ = ["Device", "DeviceError", "DeviceGone", "DeviceTimeout"]


# What the friendly REPL says before its first prompt.
_BANNER = re.compile(r"MicroPython [^\n]*\nType \"help\(\)\"[^\n]*\n$|^(\r\n)+$")


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
        self.transport, self._stream = open_transport(port, gone or (lambda: None))

        self._prompt_taken = False  # the raw REPL's ">" after a command was read as part of the log

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
        if self.transport.in_raw_repl and not soft_reset:
            return
        what = "the raw REPL after a soft reset" if soft_reset else "the raw REPL"
        self.transport.in_raw_repl = False
        with self._stream.deadline(what, timeout):
            self.transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=math.ceil(timeout) + 1)

    def exec(
        self, code: str, timeout: float = 10, output: Callable[[str], None] | None = None, what: str = ""
    ) -> str:
        """Run `code` in the raw REPL and return what it printed.

        `timeout` is for all of it, in seconds; `output` gets what is printed as it comes; `what` names the
        code in the timeout's message. For a board whose app prints meanwhile, use `call()`.

        Raises `DeviceError` when the code raises, `DeviceTimeout` (the code goes on: `interrupt()`).
        """
        self.enter()
        if self._prompt_taken:
            self._stream.put_back(b">")
            self._prompt_taken = False
        what = what or f"the end of {code.strip().splitlines()[0]!r}"
        try:
            with self._stream.deadline(what, timeout):
                self.transport.exec_raw_no_follow(code)
        except TransportError as error:
            self.transport.in_raw_repl = False
            raise UserError(f"the board's console is out of step ({error}): try again, or reset it") from None
        printed = self._stream.until(b"\x04", what, timeout, output)
        errors = self._stream.until(b"\x04", what, timeout)
        if errors:
            raise DeviceError(errors, printed)
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
        return json.loads(self._framed(code, f"json,{imports}".strip(","), timeout, expression))

    def printed_by(self, code: str, imports: str = "", timeout: float = 10) -> str:
        """What `code` prints, on a board whose app prints as well. Raises as `call()` does."""
        return self._framed(f"print(end='\\x02')\n{code}\nprint(end='\\x03')", imports, timeout, code)

    def _framed(self, code: str, imports: str, timeout: float, name: str) -> str:
        """Run `code` and return what it prints between the bytes 2 and 3; the rest is the app's and goes to
        `log`. Raw mode without paste: the answers of a paste could not be told from what the app prints."""
        self.enter()
        self._prompt_taken = False
        what = f"the end of {name.strip().splitlines()[0]}"
        until = time.monotonic() + timeout

        def read(ending: bytes, output: Callable[[str], None] | None = None) -> str:
            return self._stream.until(ending, what, until - time.monotonic(), output, also=b"\x04")

        command = f"import {imports}\n{code}" if imports else code
        self._stream.write(command.encode() + b"\x04")
        self.log(read(b"OK").lstrip(">"))
        read(b"\x02", self.log)
        result = ""
        if self._stream.stopped_at == b"\x02":
            result = read(b"\x03")
        if self._stream.stopped_at == b"\x03":
            self.log(read(b"\x04"))
        errors = read(b"\x04")
        if errors:
            raise DeviceError(errors, result)
        return result.replace("\r\n", "\n")

    def follow(self, seconds: float) -> str:
        """What the app prints; returns with the first of it, or with nothing after `seconds`."""
        text = self._stream.for_a_while(seconds)
        if text.startswith(">") and not self._prompt_taken:
            self._prompt_taken = True
            text = text[1:]
        return text

    def interrupt(self, timeout: float = 5) -> str:
        """Ctrl-C to the command that runs; waits for its end and returns the traceback it leaves."""
        what = "the end of the command after Ctrl-C"
        self._stream.write(b"\x03")
        self._stream.until(b"\x04", what, timeout)
        return self._stream.until(b"\x04", what, timeout).strip()

    def reboot(self, timeout: float = 20) -> None:
        """Soft reset as from the friendly REPL, so that main.py runs; returns when a prompt is there.

        What is printed on the way goes to `log`.
        """
        self.enter()
        self.transport.exit_raw_repl()
        self._stream.until(b">>> ", "the friendly REPL", timeout)
        self._stream.write(b"\x04")
        self._stream.until(b"soft reboot\r\n", "the soft reset", timeout)
        printed = self._stream.until(b">>> ", "the prompt after main.py started", timeout)
        self.log(_BANNER.sub("", printed))

    def hard_reset(self) -> None:
        """Reset the chip. The port may vanish for a while: close this and open another."""
        self.enter()
        self._stream.write(b"import machine\nmachine.reset()\n\x04")
        self.transport.in_raw_repl = False
