"""lvgl_micropython's TaskHandler, a timer interrupt that calls LVGL, beside asyncio kept awake every 10 ms.

This is how MicroPythonOS drives LVGL. The loop of 10 ms is asyncio's main task there.
"""

import asyncio

from asyncio_way import AsyncioWay


class TaskHandlerWay(AsyncioWay):
    """With the original where the firmware has it, else with our re-creation of its pattern."""

    poll_ms = 10
    period_ms = 33

    def __init__(self, hardware):
        super().__init__(hardware)
        self.title = "TaskHandler(%d)" % self.period_ms
        try:
            original = __import__("task_handler")
        except ImportError:
            original = __import__("task_handler_pattern")
            self.title += ", re-creation"
            self.call = original.TaskHandler.undisturbed
        self._handler = original.TaskHandler(duration=self.period_ms)
        self._handler.add_event_cb(self._on_turn, original.TASK_HANDLER_STARTED)

    def _on_turn(self, event, user_data):
        self.turns += 1

    async def wait(self, event):
        # The callback comes between any two instructions. Its `event.set()` can fall between the look at the
        # event and the wait in `event.wait()`, which then waits for ever: so this looks again.
        while not event.is_set():
            try:
                await asyncio.wait_for_ms(event.wait(), 200)
            except asyncio.TimeoutError:
                pass

    def run(self, coroutine):
        try:
            return super().run(coroutine)
        finally:
            self._handler.deinit()


class FastTaskHandlerWay(TaskHandlerWay):
    """With the period that MicroPythonOS uses."""

    period_ms = 2
