"""Activity: one screen of an app, with Android's lifecycle."""

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

    def setContentView(self, screen):
        """Show `screen`, an `lv.obj` without parent. One that it replaces is deleted."""
        activities.show(self, screen)

    def finish(self):
        """Leave the foreground for good: the activity below, if any, comes back. Safe in an event callback."""
        activities.finish(self)

    def has_foreground(self):
        """Whether the activity is the one the user sees."""
        return self._has_foreground
