"""The stack of activities: which is on the screen, and who gets which lifecycle call when that changes."""

import lvgl as lv

from ..task_manager import TaskManager

_stack = []  # The last one has the foreground.
_entered = None  # The one that was last told that it is on the screen, and not yet that it is not.
_empty = None  # The screen that is shown when there is none.


def start(activity):
    """Put `activity` on top: the one below pauses and stops. Returns False if it failed in its creation.

    An activity that raises there is taken off again, and the one below comes back; the failure is reported
    and shown on the screen.
    """
    below = foreground()
    if below is not None:
        _leave(below)
    _stack.append(activity)
    return _create(activity)


def foreground():
    """The activity that the user sees, or None."""
    return _stack[-1] if _stack else None


def show(activity, screen):
    """Make `screen` the one of `activity`, and load it if the activity has the foreground."""
    old, activity.screen = activity.screen, screen
    if activity is foreground():
        lv.screen_load(screen)
    if old is not None and old is not screen:
        _delete_later(old)


def finish(activity):
    """Take `activity` off the stack, with its screen; nothing happens if it is not on it (any more)."""
    if activity not in _stack:
        return
    was_on_top = activity is foreground()
    _stack.remove(activity)  # First: what is called now may finish it once more.
    _leave(activity)
    _destroy(activity)
    below = foreground()
    if was_on_top and below is not None and below is not _entered:
        lv.screen_load(below.screen)
        _enter(below)


def finish_all():
    """Finish every activity, the top one first; the ones below do not come back in between."""
    while _stack:
        activity = _stack.pop()
        _leave(activity)
        _destroy(activity)


def recreate(activity):
    """Have `activity`, which has the foreground, destroy itself and create its screen anew.

    Its tasks are cancelled; the activities below and theirs go on. Returns False if the creation failed: it
    is finished then.
    """
    _leave(activity)
    _destroy(activity)
    return activity in _stack and _create(activity)


def may_delete():
    """Whether widgets may be deleted: LVGL may crash if it can no longer be trusted (`mpos.ui.mender`)."""
    loop = TaskManager.lvgl_loop()
    return loop is None or not loop.mender.untrusted


def failed(activity, where, error):
    """Report that `activity` raised `error` in its method `where`, and show it."""
    name = type(activity).__name__
    tell_failure("%s.%s() failed" % (name, where), error, name)


def tell_failure(title, error, name):
    """Report `error` of the app or activity `name`, then show it to the user."""
    TaskManager.report(error, title, name)
    from .failure import show_failure

    show_failure(title, error)


def _create(activity):
    try:
        activity.onCreate()
        if activity in _stack and activity.screen is None:
            raise ValueError("%s.onCreate() must call setContentView(screen)" % type(activity).__name__)
    except Exception as error:
        failed(activity, "onCreate", error)
        finish(activity)
    if activity is foreground():  # It has not finished, nor started another one.
        _enter(activity)
    return activity in _stack


def _enter(activity):
    global _entered
    _entered = activity
    _call(activity, "onStart")
    if _entered is activity:
        _call(activity, "onResume")


def _leave(activity):
    global _entered
    if _entered is activity:
        _entered = None
        _call(activity, "onPause")
        _call(activity, "onStop")


def _destroy(activity):
    _call(activity, "onDestroy")
    activity.cancel_tasks()
    screen, activity.screen = activity.screen, None
    if screen is not None:
        _delete_later(screen)


def _call(activity, method):
    try:
        getattr(activity, method)(activity.screen)
    except Exception as error:
        failed(activity, method, error)


def _delete_later(screen):
    # This may run in an event callback of a widget on that very screen.
    TaskManager.post(_delete, screen)


def _delete(screen):
    try:
        if lv.screen_active() == screen:
            _load_empty()
        if may_delete():
            screen.delete()
    except lv.LvReferenceError:
        pass


def _load_empty():
    """Show nothing. LVGL cannot be without a screen: one is kept for this, or each app's end left one."""
    global _empty
    try:
        lv.screen_load(_empty or lv.obj())
    except lv.LvReferenceError:  # Somebody has deleted it.
        lv.screen_load(lv.obj())
    _empty = lv.screen_active()
