"""Any order of what can happen to the activity stack, against a model of it.

The host imports this on the board and calls `run(orders)` with a list of (action, argument): the names of the
functions in ACTIONS, and a number that each takes as it likes. After each order the stack is what the model
says, and at the end nothing is left.
"""

import gc

import board
import lvgl as lv

from mpos import Activity, ActivityNavigator, LvglLoop, TaskManager
from mpos.app import activities

METHODS = ("onCreate", "onStart", "onResume", "onPause", "onStop", "onDestroy")
PATIENCE_MS = 5000

TaskManager.attach(LvglLoop(board.init().display))

numbers = {}  # The number of each activity: what is kept of it here must not keep it alive.
calls = []  # (number, method) of all lifecycle calls since the last check
failing = {}  # number: the method in which that activity raises
doing = {}  # (number, method): what that activity does there
model = []  # The numbers of the activities on the stack, the last one in the foreground.
screens = []  # All that an activity has ever set.
tasks = []
hoard = []


class Failure(Exception):
    """What an activity raises here."""


ERRORS = (Failure, MemoryError, GeneratorExit, TaskManager.CancelledError, KeyError)


def _method(name):
    def method(self, screen=None):
        calls.append((self.number, name))
        if name == "onCreate":
            self.build()
        do = doing.pop((self.number, name), None)
        if do is not None:
            do(self)
        if failing.get(self.number) == name:
            raise ERRORS[self.number % len(ERRORS)]("in %s" % name)

    return method


class Base(Activity):
    """Notes its calls, and has a screen, a task, a timer, an animation and a handler."""

    def __init__(self, number):
        self.number = number

    def build(self):
        if self.number % 3:  # The others draw on the active screen, or on the one they are given.
            self.setContentView(lv.obj())
        button = lv.button(self.screen)
        screens.append(button)
        tasks.append(self.create_task(self.work()))
        self.create_task(while_resumed=self.work)
        self.timer(lambda t: button.set_x(1), 7)
        self.on(lv.layer_top(), lv.EVENT.CLICKED, lambda e: None)
        self.animate(button, lambda w, v: w.set_y(v), 0, 9, 30)

    async def work(self):
        try:
            await TaskManager.sleep(100)
        finally:
            await TaskManager.sleep_ms(1)


for name in METHODS:
    setattr(Base, name, _method(name))


def _above(number):
    """A new activity on top; it fails in its creation if `number` says so."""
    own = len(numbers)
    numbers[own] = True
    return own, Base(own)


def _find(number):
    """The activity on the stack that an order means, or None."""
    if not model:
        return None
    wanted = model[number % len(model)]
    for entry in activities._stack:
        if entry.activity.number == wanted and not entry.leaving:
            return entry.activity
    raise AssertionError("activity %d is not on the stack" % wanted)


# -- What can happen. Each changes the model as the stack should change.


def start(number):
    own, activity = _above(number)
    model.append(own)
    if not activities.start(activity):
        assert hoard, "it was not started"
        model.remove(own)


def start_that_fails(number):
    own, activity = _above(number)
    failing[own] = "onCreate"
    assert activities.start(activity) is False


def start_that_fails_later(number):
    own, activity = _above(number)
    failing[own] = METHODS[1 + number % 5]
    model.append(own)
    assert activities.start(activity) is True


def start_that_finishes_itself(number):
    own, activity = _above(number)
    doing[(own, METHODS[number % 3])] = Activity.finish
    assert activities.start(activity) is False


def start_that_starts_another(number):
    own, activity = _above(number)
    other, another = _above(number)
    doing[(own, METHODS[number % 3])] = lambda self: activities.start(another)
    model.append(own)
    model.append(other)
    activities.start(activity)


def start_twice(number):
    activity = _find(number)
    if activity is not None:
        try:
            activities.start(activity)
            raise AssertionError("the same activity was started twice")
        except ValueError:
            pass


def finish(number):
    activity = _find(number)
    if activity is not None:
        model.remove(activity.number)
        activity.finish()


def finish_and_start(number):
    activity = _find(number)
    if activity is not None:
        own, another = _above(number)
        if activity.number == model[-1]:
            doing[(activity.number, "onPause")] = lambda self: activities.start(another)
            model.remove(activity.number)
            model.append(own)
            activity.finish()
        else:
            model.append(own)
            activities.start(another)


def back(number):
    went = ActivityNavigator.back()
    assert went is (len(model) > 1)
    if went:
        model.pop()


def recreate(number):
    activity = _find(number)
    if activity is not None:
        failing.pop(activity.number, None)
        if not activities.recreate(activity):
            assert hoard, "it was not created anew"
            model.remove(activity.number)


def finish_all(number):
    model.clear()
    activities.finish_all()


def delete_screen(number):
    activity = _find(number)
    if activity is not None and activity.screen is not None:
        activity.screen.delete()


def set_content(number):
    activity = _find(number)
    if activity is not None:
        activity.setContentView(lv.obj())


def set_wrong_content(number):
    activity = _find(number)
    if activity is not None:
        child = lv.label(lv.layer_sys())
        for wrong in (None, lv.layer_top(), child):
            try:
                activity.setContentView(wrong)
                raise AssertionError("accepted: %r" % (wrong,))
            except ValueError:
                pass
        child.delete()


def animate(number):
    activity = _find(-1)
    if activity is not None:
        new = lv.obj()
        lv.screen_load_anim(new, lv.SCREEN_LOAD_ANIM.OVER_LEFT, 5 + number % 40, number % 20, False)
        activity.setContentView(new)


def fill_inbox(number):
    try:
        while True:
            TaskManager.post(len, ())
    except RuntimeError:
        pass


def fill_heap(number):
    """Leave so little memory that the next order may fail for want of it."""
    size = 1 << 20
    while size > 256:
        try:
            hoard.append(bytearray(size))
        except MemoryError:
            size >>= 1


def turn(number):
    """Let the loop run a while: the only order that does."""
    return number % 30


ACTIONS = {
    name: function
    for name, function in globals().items()
    if name[0] != "_" and callable(function) and not isinstance(function, type)
}
for name in ("name", "function"):
    ACTIONS.pop(name, None)


ON_A_FULL_HEAP = ("start", "finish", "back", "recreate", "finish_all")


# -- The proof


def _check(order):
    """The stack is as the model says, and the calls since the last check came in the right order."""
    stack = [entry for entry in activities._stack if not entry.leaving]
    assert [entry.activity.number for entry in stack] == model, (order, model)
    for entry in stack:
        assert entry.activity.has_foreground() is (entry is stack[-1]), order
    _check_calls(order)


state = {}  # number: how far its calls have come
FOLLOWS = {
    None: ("onCreate",),
    "onCreate": ("onStart", "onDestroy"),
    "onStart": ("onResume", "onPause"),
    "onResume": ("onPause",),
    "onPause": ("onStop",),
    "onStop": ("onStart", "onDestroy"),
    "onDestroy": ("onCreate",),  # created anew
}


def _check_calls(order):
    for number, method in calls:
        before = state.get(number)
        assert method in FOLLOWS[before], (order, "%s after %s" % (method, before))
        state[number] = method
        if method in ("onStart", "onResume"):
            for other, last in state.items():
                assert other == number or last not in ("onStart", "onResume"), (order, "two are seen")
    calls.clear()


def _is_deleted(widget):
    try:
        widget.get_parent()
        return False
    except lv.LvReferenceError:
        return True


async def _until(condition, what):
    for _ in range(PATIENCE_MS):
        if condition():
            return
        await TaskManager.sleep_ms(1)
    raise AssertionError("never: " + what)


async def _run(orders):
    for order in orders:
        name, number = order
        if name not in ON_A_FULL_HEAP:
            hoard.clear()
        wait_ms = ACTIONS[name](number)
        if name != "fill_heap":
            hoard.clear()
        if wait_ms is not None:
            await TaskManager.sleep_ms(wait_ms)
        _check(order)
    activities.finish_all()
    hoard.clear()
    model.clear()
    _check("the end")
    await _until(lambda: not activities._stack, "the finished activities are gone")
    assert all([_is_deleted(widget) for widget in screens]), "a widget is left"
    await _until(lambda: all([task is None or task.done() for task in tasks]), "their tasks end")
    names = [one.name for one in TaskManager.list_tasks() if "work" in one.name]
    assert not names, names
    assert lv.layer_top().get_child_count() <= 1, "more than one message"
    lv.layer_top().clean()


def run(batches):
    """Carry out lists of orders, and prove after each that nothing is left; AssertionError if not."""
    TaskManager.set_exception_handler(lambda context: None)
    for orders in batches:
        for one in (numbers, calls, failing, doing, model, screens, tasks, state, hoard):
            one.clear()
        try:
            TaskManager.run_until_complete(_run(orders), 60000)
        except BaseException:
            hoard.clear()
            print("orders:", orders)
            raise
    gc.collect()


def memory_used():
    """Bytes of the heap, of which LVGL's are a part on lvgl_micropython."""
    for one in (numbers, calls, failing, doing, model, screens, tasks, state, hoard):
        one.clear()
    TaskManager.run_until_complete(TaskManager.sleep_ms(60))
    gc.collect()
    gc.collect()
    return gc.mem_alloc()
