"""Activity: one screen of an app, with Android's lifecycle."""

from ..ui_bridge import UiBridge
from . import activities
from .belongings import Belongings
from .intent import Intent
from .navigator import ActivityNavigator


class Activity:
    """Subclass it and build the screen in `onCreate`.

    The order is onCreate, onStart, onResume, and at the end onPause, onStop, onDestroy; when another activity
    comes on top onPause and onStop, and when it goes onStart and onResume. All run on the loop, so they may
    touch LVGL and create tasks, and must not block; each may be a coroutine function, which then runs as a
    task. What one of them raises is reported and shown on the screen; the loop goes on.
    """

    # What the activity was started with: names and values, such as {"url": "http://..."}.
    extras = {}
    intent = None
    result = None  # As setResult() makes it.
    appFullName = None
    screen = None
    _belongings = None

    def onCreate(self):
        """Build the screen and hand it to `setContentView`; else the activity has an empty one."""

    def onStart(self, screen):
        """The screen is about to be seen."""

    def onResume(self, screen):
        """The screen has the foreground."""

    def onPause(self, screen):
        """The screen loses the foreground."""

    def onStop(self, screen):
        """The screen can no longer be seen."""

    def onDestroy(self, screen):
        """The screen is about to be deleted: end what `onCreate` began."""

    def onBackPressed(self, screen):
        """The user wants to go back: return True if that is done with, else the activity finishes.

        A coroutine function counts as True: it may ask, and finish.
        """
        return False

    # -- The screen

    def setContentView(self, screen):
        """Show `screen`, an `lv.obj` without parent. One that it replaces is deleted.

        Raises ValueError for what is no such screen, RuntimeError when the activity has finished.
        """
        activities.show(self, screen)

    def has_foreground(self):
        """Whether the activity is between its onResume and its onPause."""
        return activities.is_resumed(self)

    def if_foreground(self, func, *args, event=None, **kwargs):
        """The result of `func(*args, **kwargs)`; None, without calling it, if another has the foreground.

        `event.set()` is called afterwards if there is one.
        """
        if not self.has_foreground():
            return None
        result = func(*args, **kwargs)
        if event:
            event.set()
        return result

    def update_ui_threadsafe_if_foreground(self, func, *args, important=False, event=None, **kwargs):
        """Have the loop call `if_foreground` soon. Safe from a thread.

        All calls are made, in their order: `important` is only for programs of MicroPythonOS. Raises
        RuntimeError when 128 calls wait already.
        """
        UiBridge.post(lambda: self.if_foreground(func, *args, event=event, **kwargs))

    # -- What ends with the activity

    def create_task(self, coroutine=None, name=None, while_resumed=None):
        """`TaskManager.create_task` for a task that belongs to the activity: it is cancelled with it.

        `while_resumed`: an async function that runs whenever the activity has the foreground: it is cancelled
        at onPause and started anew at onResume; nothing is returned. `create_task(function,
        while_resumed=True)` is the same. After the activity's end nothing is started, which the log says.
        """
        if while_resumed:
            function = coroutine if while_resumed is True else while_resumed
            return self.belongings().create_while_resumed(function, name)
        return self.belongings().create_task(coroutine, name)

    def on(self, widget, event, handler):
        """`UiBridge.on` that ends with the activity, as do the tasks of a coroutine handler."""
        return self.belongings().on(widget, event, handler)

    def timer(self, handler, period_ms, repeat=-1):
        """`UiBridge.timer` that ends with the activity. `delete()` ends it earlier."""
        return self.belongings().timer(handler, period_ms, repeat)

    def animate(self, widget, apply, start, end, duration_ms, on_end=None):
        """`UiBridge.animate` that ends with the activity."""
        return self.belongings().animate(widget, apply, start, end, duration_ms, on_end)

    def cancel_tasks(self):
        """Cancel every task of the activity but the one that calls this. The end of the activity does it."""
        self.belongings().cancel_tasks()

    def belongings(self, anew=False):
        """The Belongings of the activity, for the activity stack; `anew`: not those that are over."""
        if self._belongings is None or (anew and self._belongings.is_over):
            self._belongings = Belongings(type(self).__name__)
        return self._belongings

    # -- Navigation

    def getIntent(self):
        """The Intent that the activity was started with; one without a class if there was none."""
        if self.intent is None:
            self.intent = Intent(extras=self.extras)
        return self.intent

    def startActivity(self, intent):
        """Start the activity that `intent` names above this one."""
        self.startActivityForResult(intent, None)

    def startActivityForResult(self, intent, result_callback):
        """`startActivity`, and `result_callback(result)` when that one has ended and this one has resumed.

        `result` is `{"result_code": code, "data": {}}` as `setResult` got it; the code is 0 when it ended
        without, by back for one.
        """
        if intent.app_fullname is None:
            intent.app_fullname = self.appFullName
        ActivityNavigator.start(intent, result_callback, self)

    def setResult(self, result_code, data=None):
        """What the activity's starter gets when this one has finished."""
        self.result = {"result_code": result_code, "data": {} if data is None else data}

    def finish(self):
        """Leave the screen for good: the activity below, if any, comes back. Safe in an event callback."""
        activities.finish(self)
