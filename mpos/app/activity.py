"""Activity: one screen of an app, with Android's lifecycle."""

from asyncio import core

from ..task_manager import TaskManager
from ..ui_bridge import UiBridge
from . import activities


class Activity:
    """Subclass it and build the screen in `onCreate`.

    The order is onCreate, onStart, onResume, and at the end onPause, onStop, onDestroy; when another activity
    comes on top onPause and onStop, and when it goes onStart and onResume. All run on the loop, so they may
    touch LVGL and create tasks, and must not block. What one of them raises is reported and shown on the
    screen; the loop goes on.
    """

    # What the activity was started with: names and values, such as {"url": "http://..."}.
    extras = {}

    screen = None
    _tasks = ()
    _has_foreground = False

    def onCreate(self):
        """Build the screen and hand it to `setContentView`."""

    def onStart(self, screen):
        """The screen is about to be seen."""

    def onResume(self, screen):
        """The screen has the foreground."""
        self._has_foreground = True

    def onPause(self, screen):
        """The screen loses the foreground."""
        self._has_foreground = False

    def onStop(self, screen):
        """The screen can no longer be seen."""

    def onDestroy(self, screen):
        """The screen is about to be deleted: end what `onCreate` began."""

    def create_task(self, coroutine, name=None):
        """`TaskManager.create_task` for a task that belongs to the activity: it is cancelled with it."""
        task = TaskManager.create_task(coroutine, name)
        if task is not None:
            self._tasks = [one for one in self._tasks if not one.done()]
            self._tasks.append(task)
        return task

    def on(self, widget, event, handler):
        """`UiBridge.on` with the activity as owner: tasks of a coroutine handler are cancelled with it."""
        return UiBridge.on(widget, event, handler, self.create_task)

    def setContentView(self, screen):
        """Show `screen`, an `lv.obj` without parent. One that it replaces is deleted."""
        activities.show(self, screen)

    def finish(self):
        """Leave the screen for good: the activity below, if any, comes back. Safe in an event callback."""
        activities.finish(self)

    def cancel_tasks(self):
        """Cancel every task of the activity. Called for you after `onDestroy`."""
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            # An activity that is finished by its own task: that one returns by itself.
            if not task.done() and task is not core.cur_task:
                task.cancel()

    def has_foreground(self):
        """Whether the activity is the one the user sees."""
        return self._has_foreground
