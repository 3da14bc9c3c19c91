"""lvgl_micropython's TaskHandler, a timer interrupt that calls LVGL, beside asyncio kept awake every 10 ms.

This is how MicroPythonOS drives LVGL. The loop of 10 ms is asyncio's main task there.
"""

from asyncio_way import AsyncioWay


class TaskHandlerWay(AsyncioWay):
    """With the original where the firmware has it, else with our re-creation of its pattern."""

    poll_ms = 10
    period_ms = 33

    def __init__(self, hardware):
        super().__init__(hardware)
        self.title = "TaskHandler(%d)" % self.period_ms
        try:
            from task_handler import TASK_HANDLER_STARTED, TaskHandler
        except ImportError:
            from task_handler_pattern import TASK_HANDLER_STARTED, TaskHandler

            self.title += ", re-creation"
            self.call = TaskHandler.undisturbed
        self._handler = TaskHandler(duration=self.period_ms)
        self._handler.add_event_cb(self._on_turn, TASK_HANDLER_STARTED)

    def _on_turn(self, event, user_data):
        self.turns += 1

    def run(self, coroutine):
        try:
            return super().run(coroutine)
        finally:
            self._handler.deinit()


class FastTaskHandlerWay(TaskHandlerWay):
    """With the period that MicroPythonOS uses."""

    period_ms = 2
