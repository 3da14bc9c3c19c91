"""The stack of activities: which is on the screen, and who gets which lifecycle call when that changes.

Starting and finishing only changes what the stack should be; `_settle` then makes one lifecycle call after
the other until it is so. A call that starts or finishes something in turn changes the aim, and the rest
follows when it has returned: lifecycle calls never nest. Where one fails, the stack is put right first, and
the failure is told afterwards.
"""

import gc

import lvgl as lv
from micropython import const

from ..loop.runner import runner
from ..task_manager import TaskManager
from . import screens
from .entry import CREATED, DESTROYED, NEW, PAUSED, RESUMED, STARTED, Entry

# The most activities that come to the foreground in one go: two that start each other for ever must not keep
# the loop from turning.
_MOST_AT_ONCE = const(50)

# What an activity that ends without setResult() gives: by back, by an error. Android's RESULT_CANCELED is 0.
_NO_RESULT = {"result_code": 0, "data": {}}

_stack = []  # Of Entry; the last that is not leaving has the foreground.
_shown = None  # The entry that is between onStart and onStop.
_settling = False
_failures = []  # (activity, method, error) each, to be told when the stack is settled.
_results = []  # (caller's entry or None, callback, result) each, to be delivered.
_sweeper = None  # The task that sweeps next.


# -- For activities and those who start them


def start(activity, caller=None, on_result=None, no_history=False):
    """Put `activity` on top: the one below pauses and stops, then it is created, started and resumed.

    `on_result(result)` is called when it has ended, after the resume of `caller`, the activity that wants it.
    With `no_history` it ends when another one is started above it. Returns False if it failed in its
    creation or has finished already: the one below is back then, and the failure is reported and shown. In a
    lifecycle method all this happens when that has returned. Raises ValueError for an activity that is on
    the stack already.
    """
    if not hasattr(activity, "belongings") or isinstance(activity, type):
        raise ValueError("an activity is needed, made by its class, such as Hello(): %r" % (activity,))
    if _entry_of(activity) is not None:
        name = type(activity).__name__
        raise ValueError("this %s is on the stack already: start another one, %s()" % (name, name))
    TaskManager.after_interrupt(_step_interrupted)
    entry = Entry(activity, _entry_of(caller), on_result)
    entry.no_history = no_history
    below = _top()
    _stack.append(entry)
    if below is not None and below.no_history:
        below.leaving = True
    _settle()
    return not entry.leaving


def foreground():
    """The activity that the user sees, or None."""
    top = _top()
    return None if top is None else top.activity


def is_resumed(activity):
    """Whether `activity` is between its onResume and its onPause."""
    return _shown is not None and _shown.activity is activity and _shown.state == RESUMED


def below(activity):
    """The activity below `activity` on the stack, or None."""
    found = None
    for entry in _stack:
        if entry.activity is activity:
            return found
        if not entry.leaving:
            found = entry.activity
    return None


def show(activity, screen):
    """Make `screen` the one of `activity`, and load it if the activity has the foreground.

    Raises ValueError for what is no screen, or another activity's; RuntimeError when it has finished.
    """
    name = type(activity).__name__
    screens.check(screen, name)
    mine = _entry_of(activity)
    for entry in _stack:
        if entry is not mine and entry.owns(screen):
            raise ValueError(
                "%s.setContentView() got the screen of %s: make one of its own with lv.obj()"
                % (name, entry.name)
            )
    if mine is None:
        screens.delete(screen, None)  # It was handed over, and nobody else would.
        raise RuntimeError("%s.setContentView(): the activity is not started, or has finished" % name)
    if mine.screen is None or mine.screen != screen:
        if mine.owns(screen):
            raise ValueError("%s.setContentView() got a screen that it has replaced before" % name)
        mine.own(screen)
    if mine is _top() and mine.state != NEW:
        screens.show(screen)


def finish(activity):
    """Take `activity` off the stack, with its screen; nothing happens if it is not on it (any more)."""
    entry = _entry_of(activity)
    if entry is not None:
        entry.leaving = True
        _settle()


def finish_all():
    """Finish every activity, the top one first; the ones below do not come back in between."""
    for entry in _stack:
        entry.leaving = True
    _settle()


def finish_down_to(cls):
    """Finish the topmost activity of class `cls` and all above it; nothing if there is none."""
    for index in range(len(_stack) - 1, -1, -1):
        if type(_stack[index].activity) is cls and not _stack[index].leaving:
            for entry in _stack[index:]:
                entry.leaving = True
            return


def recreate(activity):
    """Have `activity` destroy itself and create its screen anew.

    Its tasks are cancelled; the activities below and theirs go on. Returns False if the creation failed: it
    is finished then.
    """
    entry = _entry_of(activity)
    if entry is None:
        return False
    entry.again = True
    _settle()
    return not entry.leaving


may_delete = screens.may_delete


def tell_failure(title, error, name):
    """Report `error` of the app or activity `name`, then show it to the user."""
    if isinstance(error, KeyboardInterrupt):
        error = runner.interrupted(name, tell=False)
    TaskManager.report(error, title, name)
    try:
        from .failure import show_failure

        show_failure(title, error)
    except SystemExit:
        raise
    except BaseException as in_telling:
        TaskManager.report(in_telling, "The message '%s' could not be shown" % title, "failure")


def _step_interrupted(name, task):
    """A Ctrl-C has ended a task or a callback that held the loop: its activity is finished, the user told.

    Nobody knows whose a callback is; most probably it is that of the activity on the screen.
    """
    owner = _top() if task is None else None
    for entry in _stack:
        if entry.belongings is not None and entry.belongings.owns(task):
            owner = entry
    if owner is not None:
        owner.leaving = True
        _settle()
    from .failure import show_message

    show_message("'%s' held the board" % name, "Ctrl-C has ended it.")


# -- The stack


def _entry_of(activity):
    if activity is not None:
        for entry in _stack:
            if entry.activity is activity and entry.state != DESTROYED:
                return entry
    return None


def _top():
    for index in range(len(_stack) - 1, -1, -1):
        if not _stack[index].leaving:
            return _stack[index]
    return None


def _settle():
    """Make lifecycle calls until the stack is as it should be, then tell what failed.

    On its way out of each error the stack is right: whatever a call raises counts as its failure, a Ctrl-C
    too, and where memory is lacking for a step, the step is tried again.
    """
    global _settling
    if _settling:
        return  # Called in a lifecycle method: the rest is done when that has returned.
    _settling = True
    came_up = tries = 0
    try:
        while came_up < _MOST_AT_ONCE:
            try:
                done = _bring_down() or _destroy_next()
                if not done and _bring_up():
                    came_up += 1
                elif not done:
                    break
            except MemoryError as error:
                tries += 1
                gc.collect()
                if tries > 3 and not _give_up(error):
                    break
    finally:
        _settling = False
    if came_up == _MOST_AT_ONCE:
        TaskManager.create_task(_settle_later(), "activities")
    _tell()


async def _settle_later():
    _settle()


def _give_up(error):
    """Let the one on top go if there was no memory for its first screen. False if that is not the cause."""
    entry = _top()
    if entry is None or entry.state != NEW:
        return False
    entry.leaving = True
    _failures.append((entry, "onCreate", error))
    return True


def _bring_down():
    """The next call for an activity that is on the screen and should not be: onPause, then onStop."""
    global _shown
    entry = _shown
    if entry is None or (entry is _top() and not entry.again):
        return False
    if entry.state != PAUSED:
        entry.state = PAUSED
        _call(entry, "onPause")
        entry.belongings.pause()
    else:
        entry.state = CREATED
        _shown = None
        _call(entry, "onStop")
    return True


def _destroy_next():
    """Destroy the topmost activity that is to go."""
    for index in range(len(_stack) - 1, -1, -1):
        entry = _stack[index]
        if (entry.leaving or entry.again) and entry.state != DESTROYED:
            _destroy(entry)
            return True
    return False


def _destroy(entry):
    was, entry.state = entry.state, DESTROYED if entry.leaving else NEW
    entry.again = False
    activity = entry.activity
    if was != NEW:
        _call(entry, "onDestroy")
    _run(entry, "end", entry.end_belongings, ())
    if entry.leaving:
        entry.belongings = None
    else:
        entry.belongings = activity.belongings(anew=True)
    activity.screen = None
    if entry.screen is not None:
        entry.replaced.append(entry.screen)
        entry.screen = None
    entry.lost = False
    if entry.leaving:
        if entry.on_result is not None:
            _results.append((entry.caller, entry.on_result, activity.result or dict(_NO_RESULT)))
        if _top() is None:
            screens.show_nothing()
    _request_sweep()


def _bring_up():
    """The next call for the activity that should be in the foreground; its results when it is there."""
    global _shown
    entry = _top()
    if entry is None:
        return _deliver_result(None)
    if entry.state == NEW:
        # The active screen is the activity's own, also for a program that draws on it without asking.
        if entry.screen is None:
            entry.own(lv.obj())
        screens.show(entry.screen)
        entry.state = CREATED
        _call(entry, "onCreate")
    elif entry.state == CREATED:
        _show_own(entry)
        entry.state = STARTED
        _shown = entry
        _call(entry, "onStart")
    elif entry.state == STARTED:
        entry.state = RESUMED
        _call(entry, "onResume")
        if not entry.leaving:
            entry.belongings.resume()
    else:
        return _deliver_result(entry)
    return True


def _show_own(entry):
    if entry.screen is None:
        if entry.lost:
            _failures.append((entry, "", ValueError("its screen was deleted: it has an empty one now")))
        entry.lost = False
        entry.own(lv.obj())
    screens.show(entry.screen)


def _deliver_result(resumed):
    """Deliver one result to the activity that has come back, or to no activity."""
    for index in range(len(_results)):
        caller, callback, result = _results[index]
        if caller is None or caller is resumed or caller.state == DESTROYED:
            _results.pop(index)
            if caller is None or caller is resumed:
                _run(resumed, "on_result", callback, (result,))
            return True
    return False


def _call(entry, method):
    activity = entry.activity
    arguments = () if method == "onCreate" else (entry.screen,)
    _run(entry, method, getattr(activity, method), arguments)


def _run(entry, method, function, arguments):
    """Call `function`; a coroutine becomes a task, and what it raises is kept to be told."""
    try:
        result = function(*arguments)
        if result is not None and hasattr(result, "send"):
            _start_task(entry, method, result)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            error = runner.interrupted(method, tell=False)
            if entry is not None:
                entry.leaving = True
        elif method == "onCreate":
            entry.leaving = True
        _failures.append((entry, method, error))


def _start_task(entry, method, coroutine):
    name = "%s.%s" % ("result" if entry is None else entry.name, method)
    if entry is None or method in ("onPause", "onStop", "onDestroy"):
        # The activity's end does not cancel these: they are part of it.
        TaskManager.create_task(coroutine, name)
    else:
        entry.activity.create_task(coroutine, name)


def _tell():
    while _failures:
        entry, method, error = _failures.pop(0)
        name = "activities" if entry is None else entry.name
        title = "%s.%s() failed" % (name, method) if method else name
        tell_failure(title, error, name)
        if isinstance(error, SystemExit):
            runner.leave(error)


# -- What has to go


def _request_sweep():
    """Have what is over be deleted soon: this may run in a callback of a widget on that very screen.

    Returns whether a task is there to do it.
    """
    global _sweeper
    if _sweeper is None or _sweeper.done():
        try:
            _sweeper = TaskManager.create_task(_sweep_later(), "screens")
        except MemoryError:
            _sweeper = None
    if _sweeper is None and lv._nesting.value == 0:  # No callback of LVGL is running.
        _sweep()
    return _sweeper is not None


async def _sweep_later():
    global _sweeper
    _sweeper = None
    _sweep()


def _sweep():
    """Delete the screens that no activity needs any more, and see that the foreground has one."""
    top = _top()
    for entry in list(_stack):
        if entry.waits():
            continue
        while entry.replaced:
            try:
                screens.delete(entry.replaced.pop(), None if top is None else top.screen)
            except lv.LvReferenceError:
                pass
        if entry.state == DESTROYED:
            _stack.remove(entry)
    if top is not None and top.state != NEW:
        if top.lost or screens.shows_nothing():
            _show_own(top)
            _tell()
    elif lv.screen_active() is None:
        screens.show_nothing()
    screens.resume_drawing()


Entry.on_change = _request_sweep
