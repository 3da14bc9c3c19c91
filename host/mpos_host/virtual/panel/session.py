"""One life of the VM: its requests are executed, LVGL's callbacks are carried to it and its result back.

An exception that leaves a callback in the VM goes to the request that caused the callback, as upstream.
LVGL's C code cannot be left that way here, so it runs to its end without further callbacks. What upstream
would be like afterwards is kept in `Damage`.
"""

from __future__ import annotations

import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable
from typing import Any

from mpos_host.virtual.panel import wire
from mpos_host.virtual.panel.adapt import UserData
from mpos_host.virtual.panel.calls import Calls
from mpos_host.virtual.panel.damage import Damage
from mpos_host.virtual.panel.lvgl import lv
from mpos_host.virtual.panel.wire import Kind, Message, Reader, VmError


class VmGone(Exception):
    """The VM closed the line."""


class _Frame:
    """A request under way."""

    def __init__(self, sequence: int):
        self.sequence = sequence
        self.aborted = False
        self.asked = b""  # the callback that the VM was asked to run for it


class Session:
    """`wait` blocks until the VM's socket is readable, doing other work meanwhile."""

    def __init__(
        self,
        line: socket.socket,
        calls: Calls,
        contained: bool,
        hang_s: float,
        wait: Callable[[], None],
    ):
        self._line = line
        self._wait = wait
        self._contained = contained
        self._hang_s = hang_s
        self.calls = calls
        self.objects = calls.objects
        calls.ask = self._ask
        self.damage = Damage(self.objects)
        self.hardware: Callable[[int], Any] = lambda number: None
        self.on_input: Callable[[], None] = lambda: None  # the VM reads its inputs, or runs LVGL
        self._buffer = bytearray(wire.SIZE)
        self._frames: list[_Frame] = []
        self._outstanding: list[int] = []  # callbacks that the VM runs, outermost first
        self._last_call = 0
        self._epoch = 0
        self._tick = 0
        self._sent = b""  # the last answer, for a SYNC
        self._sent_sequence = 0
        self._kept: Message | None = None  # read, but for an outer level
        self._parts = bytearray()
        self._large = b""
        self.last_error = ""
        self.handler_began: float | None = None  # when the timer handler that runs was called

    def serve(self) -> None:
        """Until the VM is gone: raises VmGone."""
        while True:
            message = self._next()
            if message.kind >= Kind.PART:
                self._request(message)
            elif message.kind == Kind.SYNC:
                self._synchronize(message.sequence)

    def _next(self) -> Message:
        kept, self._kept = self._kept, None
        if kept is not None:
            return kept
        self._wait()
        try:
            size = self._line.recv_into(self._buffer)
        except ConnectionError:
            size = 0
        if not size:
            raise VmGone
        message = Message.parse(self._buffer)
        self._epoch = message.epoch
        passed = (message.tick - self._tick) & 0xFFFFFFFF
        if passed and passed < 0x80000000:
            self._tick = message.tick
            lv.tick_inc(passed)
        return message

    # Requests

    def _request(self, message: Message) -> None:
        frame = _Frame(message.sequence)
        if not self._frames:
            signal.setitimer(signal.ITIMER_VIRTUAL, self._hang_s)
        self._frames.append(frame)
        call = 0
        try:
            if message.kind == Kind.HANDLER:
                call, payload = self._timer_handler(frame), b""
            else:
                payload = self._execute(message, frame)
        except VmError as failure:
            payload = wire.updates([]) + wire.error(failure)
        finally:
            self._frames.pop()
        if not self._frames:
            self.objects.flush()
        if len(payload) + wire.HEADER + 4 * wire.MAX_FORGOTTEN > wire.SIZE and message.kind != Kind.MORE:
            self._large = payload
        self._say(wire.ANSWER, frame.sequence, call, payload)

    def _timer_handler(self, frame: _Frame) -> int:
        if self.damage.handler_wedged:
            return 1
        self.calls.running.name = "lv.timer_handler"
        self.handler_began = time.monotonic()
        until = lv.timer_handler()
        self.handler_began = None
        self.on_input()
        if frame.aborted:
            self.damage.handler_wedged = True
        self.damage.check("lv.timer_handler")
        return until

    def _execute(self, message: Message, frame: _Frame) -> bytes:
        kind = message.kind
        if kind == Kind.PART:
            del self._parts[message.argument :]
            self._parts += memoryview(self._buffer)[wire.HEADER : message.length]
            return wire.updates([]) + b"\0"
        if kind == Kind.MORE:
            room = wire.SIZE - wire.HEADER - 4 * wire.MAX_FORGOTTEN
            return self._large[message.argument : message.argument + room]
        if kind == Kind.OPTIONS:
            return wire.updates([]) + wire.scalar(1 if self._contained else 0)
        if kind == Kind.HARDWARE:
            return wire.updates([]) + self.calls.values.result(self.hardware(message.argument))
        if message.length == wire.LARGE:
            data, start, end = bytes(self._parts), 0, len(self._parts)
            self._parts.clear()
        else:
            data, start, end = bytes(self._buffer), wire.HEADER, message.length
        try:
            payload = self.calls.execute(kind, message.argument, Reader(data, start, end))
            if self.calls.running.name == "indev_t.read":
                self.on_input()
        except (struct.error, IndexError, ValueError) as failure:
            raise wire.runtime_error(f"a request that the panel cannot read: {failure}") from None
        except (VmError, VmGone):
            raise
        except Exception as failure:
            self.last_error = f"{self.calls.running.name}: {type(failure).__name__}: {failure}"
            traceback.print_exc()
            raise wire.runtime_error(self.last_error) from None
        if frame.aborted and self.calls.running.name in _HANDLERS:
            self.damage.handler_wedged = True
        self.damage.check(self.calls.running.name)
        return payload

    def _say(self, kind: int, sequence: int, call: int, payload: bytes) -> bytes:
        forgotten = self.objects.forgotten[: wire.MAX_FORGOTTEN]
        del self.objects.forgotten[: wire.MAX_FORGOTTEN]
        until = lv.timer_get_time_until_next() if lv.is_initialized() else 0xFFFFFFFF
        packet = wire.packet(kind, self._epoch, sequence, call, until, forgotten, payload)
        if kind == wire.ANSWER:
            self._sent, self._sent_sequence = packet, sequence
        self._send(packet)
        return packet

    def _send(self, packet: bytes) -> None:
        try:
            self._line.send(packet)
        except ConnectionError:
            raise VmGone from None

    def _synchronize(self, sequence: int) -> None:
        """The VM was interrupted: say the last thing again, or that its request never came."""
        if self._frames and self._frames[-1].sequence == sequence:
            self._send(wire.resend(self._frames[-1].asked, self._epoch))
        elif sequence == self._sent_sequence:
            self._send(wire.resend(self._sent, self._epoch))
        else:
            self._send(wire.packet(wire.UNSEEN, self._epoch, sequence, 0, 0, [], b""))

    # Callbacks

    def _ask(self, number: int, slot: int | None, arguments: tuple[Any, ...], returns: str, kind: str) -> Any:
        """Run the VM's callback `number`; the default of its type when it raised or must not run any more."""
        frame = self._frames[-1] if self._frames else None
        if frame is None or frame.aborted or not number:
            return _default(returns)
        mark = self.objects.mark()
        payload = struct.pack("<I", number) + wire.scalar(slot) + struct.pack("<H", len(arguments))
        for one in arguments:
            payload += wire.user_data(one.callback) if isinstance(one, UserData) else self._argument(one)
        self._last_call += 1
        call = self._last_call
        events = self.calls.adapt.events
        before, events.current = events.current, number
        described = self.calls.running.name
        self._outstanding.append(call)
        try:
            frame.asked = self._say(wire.ASK, frame.sequence, call, payload)
            value, raised = self._outcome(call)
        finally:
            self._outstanding.pop()
            events.current = before
            self.calls.running.name = described
        if raised:
            frame.aborted = True
            self.damage.raised(kind, arguments)
            result = _default(returns)
        else:
            result = self._returned(value, returns)
        self.objects.drop_since(mark)
        return result

    def _argument(self, value: Any) -> bytes:
        return self.calls.values.result(value)

    def _returned(self, value: Any, returns: str) -> Any:
        if returns == "None":
            return None
        try:
            return self.calls.values.argument(value, returns, "the callback's result", [])
        except VmError as failure:
            self.last_error = str(failure)
            return _default(returns)

    def _outcome(self, call: int) -> tuple[Any, bool]:
        """Serve the VM until callback `call` has returned (value, False), or raised or was given up."""
        while True:
            message = self._next()
            kind = message.kind
            if kind in (Kind.RET, Kind.RAISE):
                if message.argument == call:
                    if kind == Kind.RAISE:
                        return None, True
                    return Reader(self._buffer, wire.HEADER, message.length).value(), False
                if message.argument in self._outstanding:
                    self._kept = message
                    return None, True
            elif kind == Kind.SYNC:
                if any(frame.sequence == message.sequence for frame in self._frames[:-1]):
                    self._kept = message
                    return None, True
                self._synchronize(message.sequence)
            elif message.context == call or message.context > call:
                self._request(message)
            else:  # made outside of this callback: the VM has left it
                self._kept = message
                return None, True


_HANDLERS = (
    "lv.timer_handler",
    "lv.task_handler",
    "lv.timer_handler_run_in_period",
    "lv.timer_periodic_handler",
)


def _default(returns: str) -> Any:
    """What LVGL gets from a callback that gave nothing."""
    return {"int": 0, "bool": False, "float": 0.0}.get(returns)
