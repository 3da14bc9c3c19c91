"""A terminal on a serial port, byte for byte: what a person or an unusual program would send."""

from __future__ import annotations

import os
import select
import time
import tty


class Terminal:
    """The port `name`, or the terminal `fd`, open from construction to `close()`. Reads wait at most
    `patience` seconds."""

    def __init__(self, name: str = "", fd: int = -1, patience: float = 30.0):
        self.patience = patience
        self._fd = os.open(name, os.O_RDWR | os.O_NOCTTY) if name else fd
        if name:
            tty.setraw(self._fd)
        self._unread = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._fd)

    def send(self, data: bytes | str) -> None:
        """Send all of `data`."""
        if isinstance(data, str):
            data = data.encode()
        while data:
            data = data[os.write(self._fd, data) :]

    def until(self, ending: bytes, timeout: float | None = None) -> bytes:
        """Everything up to and with `ending`. Raises TimeoutError, which shows what came instead."""
        deadline = time.monotonic() + (timeout or self.patience)
        while ending not in self._unread:
            if not self.wait(deadline - time.monotonic()):
                raise TimeoutError(f"no {ending!r} came, but {self._unread[-2000:]!r}")
        found, _, self._unread = self._unread.partition(ending)
        return found + ending

    def until_any(self, *endings: bytes) -> bytes:
        """Everything up to and with the first of `endings` that comes."""
        deadline = time.monotonic() + self.patience
        while True:
            found = [self._unread.find(ending) + len(ending) for ending in endings if ending in self._unread]
            if found:
                text, self._unread = self._unread[: min(found)], self._unread[min(found) :]
                return text
            if not self.wait(deadline - time.monotonic()):
                raise TimeoutError(f"none of {endings!r} came, but {self._unread[-2000:]!r}")

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for more to read; False if nothing came."""
        if not select.select([self._fd], [], [], max(0.0, timeout))[0]:
            return False
        self._unread += os.read(self._fd, 65536)
        return True

    def has(self, ending: bytes) -> bool:
        """Whether `ending` has come already."""
        self.wait(0)
        return ending in self._unread

    # The REPL.

    def type(self, line: str) -> str:
        """Type a line at the friendly prompt; returns what is printed up to the next prompt."""
        self.send(f"{line}\r")
        self.until(f"{line}\r\n".encode())
        return self.until(b">>> ")[: -len(b">>> ")].decode().replace("\r\n", "\n")

    def enter_raw(self) -> None:
        """From the empty friendly prompt into the raw REPL."""
        self.send(b"\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")

    def run_raw(self, code: bytes | str) -> tuple[str, str]:
        """Run `code` in the raw REPL; returns what it printed and its error."""
        self.start_raw(code)
        return self.end_raw()

    def start_raw(self, code: bytes | str) -> None:
        """Send `code` to the raw REPL and wait until it has been taken."""
        self.send(code)
        self.send(b"\x04")
        self.until(b"OK")

    def end_raw(self) -> tuple[str, str]:
        """What the command that runs prints until it ends, and its error."""
        output = self.until(b"\x04")[:-1]
        error = self.until(b"\x04>")[:-2]
        return output.decode().replace("\r\n", "\n"), error.decode().replace("\r\n", "\n")
