"""LvglLoop: the task that drives LVGL on the asyncio loop.

A turn brings LVGL's clock up to now, calls its timer handler, and sleeps for what that returned, or until
something is to be drawn. What arms and wakes it is LVGL's own: each refresh request, and each timer that is
created, resumed or reset, sets `lv.timer_get_time_until_next()` to 0, and the loop looks at it before it goes
to sleep. So a change made by a coroutine is drawn in the very next turn, and an idle screen costs nothing.

The model is LVGL's driver for NuttX with libuv, src/drivers/nuttx/lv_nuttx_libuv.c.
"""

from array import array
from asyncio import Event
from time import ticks_add, ticks_diff, ticks_ms, ticks_us

import lvgl as lv
from micropython import const

from .loop.parking import Parking
from .loop.runner import runner
from .task_manager import TaskManager
from .ui.frame_counter import frame_counter
from .ui.input_reader import InputReader
from .ui.mender import Mender

# The longest sleep. LVGL reports no `timer.ready()` and no `timer.set_period()`: they take effect at the next
# turn, and that is never further away than this.
_LONGEST_SLEEP_MS = const(1000)

_LONG_US = const(900)  # Of the runner's round too little is left for another task.

_REFRESH_MS = const(33)  # LV_DEF_REFR_PERIOD of both bindings.

# With no timer at all LVGL answers 0xFFFFFFFF, which takes heap where a small integer has 31 bits. One of
# ours, due in 6 days, keeps every answer small.
_FAR_MS = const(0x1FFFFFFF)

# Upper ends, in ms, of the lateness histogram's classes; the last class is open.
LATENESS_MS = (0, 1, 2, 5, 10, 20, 50)


def _nothing(_timer):
    pass


class LvglLoop:
    """Drives LVGL and one display. `TaskManager.start(lvgl_loop)` runs it."""

    _before_frame = []  # Of all: what waits for a frame does not care which loop draws it.

    def __init__(self, display, inputs=(), refresh_ms=_REFRESH_MS):
        """`display`: an `lv.display_t` that is set up to draw. `inputs`: of `mpos.hardware.Input`.
        `refresh_ms`: how long after a frame the next may be drawn, and the period of animations and of a held
        pointer's reading, in ms. Raises ValueError if that is below 1 or above 1000."""
        if not 1 <= refresh_ms <= 1000:
            raise ValueError("refresh_ms is %r: it must be from 1 to 1000 ms" % (refresh_ms,))
        self.display = display
        self.refresh_ms = refresh_ms
        self._refresh_timer = display.get_refr_timer()
        self._far_timer = lv.timer_create(_nothing, _FAR_MS, None)
        self._inputs = []
        self._paused = False
        self._on_input = None
        self._parking = Parking()
        self._frame = None  # The event of the next frame, once somebody waits for it.
        self._ticks = ticks_ms()
        self._last_frame = ticks_add(self._ticks, -refresh_ms)
        self.mender = Mender()
        self._turns = 0
        self._frames = 0
        self._longest_us = 0
        self._was_long = False
        self._lateness = array("I", [0] * (len(LATENESS_MS) + 1))
        self._drawn = frame_counter(display)
        for one in inputs:
            self.add_input(one.indev, one.interrupt, one.poll_ms)

    # -- Driving

    async def run(self):
        """The task. It ends only by being cancelled."""
        parking = self._parking = Parking()  # Of this run: another one may be about to be cancelled.
        self._refresh_timer.set_period(self.refresh_ms)
        lv.anim_get_timer().set_period(self.refresh_ms)
        while True:
            if self._paused:
                await parking
                continue
            sleep_ms = self._turn()
            due = ticks_add(ticks_ms(), sleep_ms)
            if parking.woken:
                parking.woken = False
                sleep_ms = 0
            await parking.sleep_ms(sleep_ms)
            if parking.timed_out:
                self._note_lateness(ticks_diff(ticks_ms(), due))

    def wake(self):
        """Have the next turn begin at once. From the loop's thread; elsewhere `UiBridge.post(loop.wake)`."""
        self._parking.wake()

    def pause(self, on_input=None):
        """Stop drawing and reading inputs, for a screen that is switched off. Tasks go on.

        `on_input`: a function without parameters, called when an input is used meanwhile, which is not seen
        by the widgets; `loop.resume` lets a touch or a key wake the screen.
        """
        self._paused = True
        self._on_input = on_input
        self.wake()

    def resume(self):
        """Undo `pause()`; all that changed meanwhile is drawn in one frame. Does nothing when running."""
        if self._paused:
            self._paused = False
            self._on_input = None
            self._parking.wake()

    def is_paused(self):
        """Whether `pause()` is in force."""
        return self._paused

    def before_frame(self, function):
        """Call `function()` once, just before the next frame is drawn, and see that there is one."""
        self._before_frame.append(function)
        self.wake()

    def next_frame(self):
        """`await` what this returns to go on after the first frame that is drawn after this call."""
        if self._frame is None:
            self._frame = Event()
        return self._frame.wait()

    def refresh(self):
        """Draw now what has changed, before this returns."""
        self._feed()
        lv.refr_now(self.display)
        self._note_frame()

    def before_poll(self):
        """The loop asks before each wait: True when there is something for LVGL to do."""
        parking = self._parking
        # A handler that is wedged no longer sets this time, and it would wake us for ever.
        if (
            parking.task is not None
            and not self._paused
            and not self.mender.wedged
            and lv.timer_get_time_until_next() == 0
        ):
            parking.wake()
            return True
        return False

    def after_poll(self):
        """The loop calls this after each wait: no coroutine ever sees an LVGL clock that is behind, and a
        turn that is due comes before all others; after a long one all others come before it."""
        self._feed()
        if self._was_long:
            self._was_long = False
        else:
            self._parking.hurry()

    def _feed(self):
        now = ticks_ms()
        elapsed = ticks_diff(now, self._ticks)
        if elapsed != 0:
            self._ticks = now
            if elapsed > 0:  # Else nobody looked for days, and how many is not known.
                lv.tick_inc(elapsed)

    def _turn(self):
        began = ticks_us()
        self._turns += 1
        runner.run_posted()
        self._feed()
        frame_due_ms = self._prepare_frame() if self._before_frame else _LONGEST_SLEEP_MS
        self.mender.check()
        try:
            wait_ms = self._drive_by_hand() if self.mender.wedged else self._handle_timers()
        except BaseException as error:
            self.mender.after(error, "A callback failed inside LVGL's timer handler")
            if isinstance(error, SystemExit):
                raise
            wait_ms = 0
        self._note_frame()
        took = ticks_diff(ticks_us(), began)
        self._was_long = took > _LONG_US
        if took > self._longest_us:
            self._longest_us = took
        return min(wait_ms, frame_due_ms, _LONGEST_SLEEP_MS)

    def _prepare_frame(self):
        """Make the calls that wait for the next frame if it may be drawn now; the ms until it may."""
        since_frame_ms = ticks_diff(self._ticks, self._last_frame)
        if 0 <= since_frame_ms < self.refresh_ms:  # Below 0: nothing was drawn for days.
            return self.refresh_ms - since_frame_ms
        calls = self._before_frame
        for _ in range(len(calls)):  # Those that are there now: one may ask for the frame after this one.
            try:
                result = calls.pop(0)()
                if result is not None and hasattr(result, "send"):
                    runner.create_task(result, "frame")
            except SystemExit:
                raise
            except BaseException as error:
                TaskManager.report(error, "A call before the frame failed", "frame")
        return _LONGEST_SLEEP_MS

    def _handle_timers(self):
        timer = self._refresh_timer
        # A relayout while drawing arms the refresh timer once more; it then draws nothing and restarts its
        # period, and a change that comes after that would wait for no reason.
        since_frame_ms = ticks_diff(self._ticks, self._last_frame)
        if not 0 <= since_frame_ms < self.refresh_ms and not timer.get_paused():
            timer.ready()
        return lv.timer_handler()

    def _drive_by_hand(self):
        """Do what the timer handler did: animations, drawing and pressed inputs, at the refresh rate."""
        for reader in self._inputs:
            reader.read_if_held()
        lv.anim_refr_now()
        lv.refr_now(self.display)
        return self.refresh_ms

    # -- Inputs

    def add_input(self, device, interrupt=None, poll_ms=33):
        """Read an input on the loop. `device`, `interrupt`, `poll_ms` are as in `mpos.hardware.Input`.

        Returns the reader; `reader.close()` ends it.
        """
        reader = InputReader(self, getattr(device, "_indev_drv", device), interrupt, poll_ms)
        self._inputs.append(reader)
        return reader

    def input_fired(self):
        """A reader tells that its device was used while the loop is paused."""
        if self._on_input is not None:
            self._on_input()

    def wants_input(self):
        """Whether somebody wants to be told of that."""
        return self._on_input is not None

    def close(self):
        """Let go of the display and the inputs. The task itself ends with `TaskManager.detach()`."""
        while self._inputs:
            self._inputs.pop().close()
        self._drawn.close()
        if self._far_timer is not None:
            self._far_timer.delete()
            self._far_timer = None

    # -- Figures

    def _note_frame(self):
        if self._drawn.take():
            self._frames += 1
            self._last_frame = self._ticks
            if self._frame is not None:
                self._frame.set()
                self._frame = None

    def _note_lateness(self, late_ms):
        index = 0
        for limit in LATENESS_MS:
            if late_ms <= limit:
                break
            index += 1
        self._lateness[index] += 1

    def stats(self):
        """A dictionary: `turns`, `frames`, `longest_turn_us`, `paused`, `wedged`, `mended` (see Mender), and
        `lateness`, a tuple of how many turns not woken early began at most 0, 1, 2, 5, 10, 20, 50 ms
        late, and later."""
        return {
            "turns": self._turns,
            "frames": self._frames,
            "longest_turn_us": self._longest_us,
            "lateness": tuple(self._lateness),
            "paused": self._paused,
            "wedged": self.mender.wedged,
            "mended": self.mender.mended,
        }

    def reset_stats(self):
        """Start counting anew."""
        self._turns = self._frames = self._longest_us = 0
        for index in range(len(self._lateness)):
            self._lateness[index] = 0
