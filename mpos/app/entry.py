"""Entry: what the activity stack knows of one activity: how far it has come, its screens, what it left."""

from micropython import const

from ..task_manager import TaskManager
from . import screens

# How far an activity has come.
NEW = const(0)
CREATED = const(1)
STARTED = const(2)
RESUMED = const(3)
PAUSED = const(4)
DESTROYED = const(5)

_TASKS_END_MS = const(1000)  # The screen of a finished activity waits so long for its cancelled tasks.


class Entry:
    """An activity on the stack, and what the stack knows of it."""

    # Set by the stack: called when there is something to delete or to show; returns whether that comes soon.
    on_change = None

    def __init__(self, activity, caller, on_result):
        self.activity = activity
        self.belongings = activity.belongings(anew=True)
        self.name = type(activity).__name__
        self.state = NEW
        self.leaving = False  # It has been finished.
        self.again = False  # It is to be destroyed and created anew.
        self.screen = None
        self.replaced = []  # Its screens of before, which are to be deleted.
        self.lost = False  # Somebody has deleted its screen.
        self.waiter = None  # The task that waits at its end for the tasks it left.
        self.caller = caller
        self.on_result = on_result
        self.no_history = False

    def owns(self, screen):
        """Whether `screen` is one of its."""
        if self.screen is not None and self.screen == screen:
            return True
        for one in self.replaced:
            if one == screen:
                return True
        return False

    def own(self, screen):
        """Take `screen` as the one to show; the one before is deleted soon."""
        screens.watch(screen, self._on_deleted)
        if self.screen is not None:
            self.replaced.append(self.screen)
            Entry.on_change()
        self.screen = self.activity.screen = screen

    def _on_deleted(self, screen):
        if screen is self.screen:
            self.screen = self.activity.screen = None
            self.lost = True
            if Entry.on_change():
                screens.hold_drawing()
            return
        for index in range(len(self.replaced)):
            if self.replaced[index] is screen:
                self.replaced.pop(index)
                return

    def end_belongings(self):
        """End what the activity has begun. Its screens wait a while for its tasks."""
        tasks = self.belongings.end()
        if tasks:
            name = "end of %s" % self.name
            self.waiter = TaskManager.create_task(_await_tasks(tasks, self.name), name)

    def waits(self):
        """Whether its screens still wait for its tasks."""
        return self.waiter is not None and not self.waiter.done()


async def _await_tasks(tasks, name):
    """Leave the screen of an activity that has ended to its tasks, which may still show their end on it."""
    try:
        await TaskManager.wait_for_ms(_all_done(tasks, name), _TASKS_END_MS)
    except TaskManager.TimeoutError:
        print("A task of %s has not ended within %d ms of its cancellation" % (name, _TASKS_END_MS))
    Entry.on_change()


async def _all_done(tasks, name):
    for task in tasks:
        try:
            await task
        except TaskManager.CancelledError:
            pass
        except Exception as error:
            TaskManager.report(error, "A task failed at the end of its activity {}", name)
