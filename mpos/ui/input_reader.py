"""InputReader: has LVGL read one input device when there is something to read.

With an interrupt the device is in LVGL's event mode and is read when the interrupt fires. While a finger is
down LVGL itself polls a pointer (it resumes the read timer for long presses and scrolling); other devices are
polled here. Without an interrupt the device is polled, slowly while nobody uses it.
"""

from time import ticks_add, ticks_diff, ticks_ms

import lvgl as lv
from micropython import const

from ..loop.parking import Parking
from ..loop.poll import readable
from ..loop.runner import runner
from ..loop.waiting import sleep_ms
from ..task_manager import TaskManager
from .back import BackInput

_SLOW_POLL_MS = const(100)
_IN_USE_MS = const(2000)  # So long after the last press the device counts as being used.
_QUIET_MS = const(200)  # So long after its last use the interrupt of a device is a new one.


class InputReader:
    """Reads `indev` (an `lv.indev_t`). While `loop` is paused nothing of it reaches the widgets, and
    `loop.input_fired()` is told when it is used.

    `interrupt`: None, an object with `irq(handler)`, or a stream with `read_event()` that polls readable.
    """

    def __init__(self, loop, indev, interrupt, poll_ms):
        self._loop = loop
        self._indev = indev
        self._interrupt = interrupt
        self._poll_ms = poll_ms
        self._fired = Parking()
        self._pending = False
        self._last_use = ticks_add(ticks_ms(), -_QUIET_MS)
        self._back = BackInput(indev)
        indev.set_mode(lv.INDEV_MODE.EVENT)
        indev.get_read_timer().set_period(loop.refresh_ms)  # LVGL resumes it while a pointer is held.
        if interrupt is None:
            follow = self._poll
        elif hasattr(interrupt, "irq"):
            interrupt.irq(self._on_interrupt)
            follow = self._follow_pin
        else:
            follow = self._follow_stream
        self._task = TaskManager.create_supervised_task(follow, restart_on_return=True, name="input")

    def close(self):
        """Stop reading; the device is LVGL's to poll again."""
        if hasattr(self._interrupt, "irq"):
            self._interrupt.irq(None)
        if self._task is not None:  # It was created while the TaskManager was disabled.
            runner.end_task(self._task)
        self._back.close()
        self._indev.set_mode(lv.INDEV_MODE.TIMER)

    def read(self):
        """Read once, on the loop. An exception of a raw event callback ends here."""
        try:
            self._indev.read()
            if self._back.is_keypad:
                self._back.look()
        except BaseException as error:
            self._loop.mender.after(error, "An event callback failed")
            if isinstance(error, SystemExit):
                raise

    def read_if_held(self):
        """Read once while it is pressed: what LVGL's own timer does for a pointer, where that still runs."""
        if self._held():
            self.read()

    def _look(self, fired=False):
        """Read it; while the loop is paused, see whether somebody wants the screen back. `fired`: the device
        had been quiet before its interrupt, so that this is a use of it whatever is read."""
        loop = self._loop
        if not loop.is_paused():
            self.read()
        elif loop.wants_input():
            held = self._held()
            if held:
                self._last_use = ticks_ms()  # Its release is none.
            else:
                self._indev.wait_release()  # This press is for the screen, not for what is on it.
            self.read()
            if not held and (fired or self._held()):
                if self._indev.get_type() != lv.INDEV_TYPE.POINTER:
                    self._indev.wait_release()  # A chord is pressed when it is released.
                loop.input_fired()

    def _look_fired(self):
        """The same because of the interrupt, which also comes at each movement, release and bounce."""
        now = ticks_ms()
        quiet = not 0 <= ticks_diff(now, self._last_use) < _QUIET_MS
        self._last_use = now
        self._look(quiet)

    def _on_interrupt(self, _pin):
        # A touch controller fires many times while a finger moves: one entry in the inbox is enough.
        if not self._pending:
            self._pending = True
            try:
                TaskManager.post(self._fired.wake)
            except BaseException:
                self._pending = False  # The inbox is full, or a Ctrl-C came: the next interrupt tries again.
                raise

    def _held(self):
        return self._indev.get_state() == lv.INDEV_STATE.PRESSED

    async def _follow_pin(self):
        while True:
            await self._fired
            self._pending = False
            await self._read_while_held()

    async def _follow_stream(self):
        stream = self._interrupt
        while True:
            await readable(stream)
            stream.read_event()
            self._look_fired()

    async def _read_while_held(self):
        self._look_fired()
        while self._held() and self._indev.get_type() != lv.INDEV_TYPE.POINTER:
            await sleep_ms(self._poll_ms)
            self._look()

    async def _poll(self):
        last_use = ticks_add(ticks_ms(), -_IN_USE_MS)
        while True:
            self._look()
            if self._held():
                last_use = ticks_ms()
            in_use = 0 <= ticks_diff(ticks_ms(), last_use) < _IN_USE_MS  # Below 0: unused for days.
            await sleep_ms(self._poll_ms if in_use else _SLOW_POLL_MS)
