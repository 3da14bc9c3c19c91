"""EventStream: the events of a widget, awaited one by one.

An `lv.event_t` is gone when its callback returns: a KeptEvent is a copy of what may be asked for later.
"""

import lvgl as lv

from ..loop.parking import Parking
from .events import Subscription


class KeptEvent:
    """`code`, `target`, `current_target`; `key` of a KEY event, else None; `point`, where the finger or mouse
    is, as (x, y), None without one. `get_code()`, `get_target_obj()`, `get_key()` and the like are the same.
    """

    def __init__(self, raw):
        self.code = raw.get_code()
        self.target = raw.get_target_obj()
        self.current_target = raw.get_current_target_obj()
        self.key = raw.get_key() if self.code == lv.EVENT.KEY else None
        self.point = _point()

    def get_code(self):
        return self.code

    def get_target_obj(self):
        return self.target

    def get_current_target_obj(self):
        return self.current_target

    def get_key(self):
        return self.key


def _point():
    indev = lv.indev_active()
    if indev is None or indev.get_type() != lv.INDEV_TYPE.POINTER:
        return None
    point = lv.point_t()
    indev.get_point(point)
    return point.x, point.y


class EventStream:
    """`async for event in stream`: the events since it was made. One task may iterate.

    `keep_all`: all that happen while the task does something else; without it the latest. It ends with the
    widget, with `close()`, with an `async with stream:` around the loop, and when the task has ended.
    """

    def __init__(self, widget, event, keep_all=False):
        self._keep_all = keep_all
        self._kept = []
        self._ended = False
        self._parking = Parking()
        self._task = None
        self._code = event
        self._subscriptions = [Subscription(widget, event, self._on_event)]
        if event != lv.EVENT.DELETE:
            self._subscriptions.append(Subscription(widget, lv.EVENT.DELETE, self._on_event))

    def _on_event(self, event):
        if self._task is not None and self._task.done():
            return self.close()  # It has left the loop without closing this.
        code = event.get_code()
        if code == self._code:
            if not self._keep_all:
                self._kept.clear()
            self._kept.append(KeptEvent(event))
        if code == lv.EVENT.DELETE:
            self._subscriptions = ()  # They go with the widget.
            self._ended = True
        self._parking.wake()

    def __aiter__(self):
        return self

    async def __anext__(self):
        from ..task_manager import TaskManager

        self._task = TaskManager.current_task()
        while not self._kept:
            if self._ended:
                raise StopAsyncIteration
            await self._parking
        return self._kept.pop(0)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()

    def close(self):
        """Listen no more; the events that wait are dropped, and a loop that waits ends."""
        subscriptions, self._subscriptions = self._subscriptions, ()
        for one in subscriptions:
            one.remove()
        self._kept.clear()
        self._ended = True
        self._parking.wake()


async def next_event(widget, event):
    """What `UiBridge.next_event` awaits."""
    async with EventStream(widget, event) as stream:
        async for one in stream:
            return one
    raise lv.LvReferenceError("the widget was deleted while a task waited for its event")
