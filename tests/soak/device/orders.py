"""Any order of whatever can happen to the loop, and the proof that it is well afterwards.

The host imports this on the board and calls `run(orders)` with a list of (place, action): where something
happens and what. The functions in PLACES and ACTIONS are the vocabulary.
"""

import _thread
import gc
import time

import board
import lvgl as lv

from mpos import LvglLoop, TaskManager, UiBridge
from mpos.loop.runner import runner

PATIENCE_MS = 5000
_MOST = 4000  # tasks, and posts, of one run

display = board.init().display
loops = [LvglLoop(display), LvglLoop(display)]  # Only one of them at a time drives the display.


class Failure(Exception):
    """What a task, callback or post raises here."""


class World:
    """What one run has made, and counts of what has become of it."""

    def __init__(self, orders):
        self.orders = orders
        self.next = 0  # The order that is carried out next.
        self.driver = None
        self.loop = loops[0]
        self.screen = lv.obj(None)
        self.label = lv.label(self.screen)
        self.button = None
        self.last_task = None
        self.tasks = []
        # Threads count in here, too: a list that grows in one thread forgets what another one sets.
        self.starts = bytearray(_MOST)  # How often each task's coroutine began, and ended.
        self.ends = bytearray(_MOST)
        self.posted = 0
        self.made = bytearray(_MOST)  # How often each posted call was made.
        self.to_come = 0  # Timers and the like that have not fired yet.
        self.threads = 0
        self.lock = _thread.allocate_lock()
        lv.screen_load(self.screen)


world = None


# -- Where


def in_task(action):
    async def perform():
        ACTIONS[action]()

    TaskManager.create_task(perform(), "performer")


def _fires_once(action):
    """A callback for `action`, which counts as still to come until it is called."""
    world.to_come += 1

    def fire(*arguments):
        world.to_come -= 1
        ACTIONS[action]()

    return fire


def in_timer(action):
    UiBridge.timer(_fires_once(action), 0, repeat=1)


def in_event(action):
    world.button = lv.button(world.screen)
    UiBridge.on(world.button, lv.EVENT.CLICKED, lambda event: ACTIONS[action]())
    world.button.send_event(lv.EVENT.CLICKED, None)


def in_event_task(action):
    async def perform(event):
        ACTIONS[action]()

    world.button = lv.button(world.screen)
    UiBridge.on(world.button, lv.EVENT.CLICKED, perform)
    world.button.send_event(lv.EVENT.CLICKED, None)


def in_deletion(action):
    button = lv.button(world.screen)
    UiBridge.on(button, lv.EVENT.DELETE, lambda event: ACTIONS[action]())
    button.delete()


def at_end_of_animation(action):
    UiBridge.animate(world.label, lambda label, value: None, 0, 10, 5, on_end=_fires_once(action))


def before_frame(action):
    world.loop.before_frame(_fires_once(action))


def in_post(action):
    try:
        UiBridge.post(_fires_once(action))
    except RuntimeError:
        world.to_come -= 1  # The inbox is full.


def in_exception_handler(action):
    def handler(context):
        TaskManager.set_exception_handler(None)
        ACTIONS[action]()

    TaskManager.set_exception_handler(handler)
    work(fail=True)


def in_thread(action):
    # A thread may not touch LVGL, and what it raises is for nobody.
    allowed = action in ("work", "post", "stop", "set_text", "cancel")
    _start_thread(ACTIONS[action if allowed else "post"])


PLACES = {
    "outside": None,
    "task": in_task,
    "timer": in_timer,
    "event": in_event,
    "event task": in_event_task,
    "deletion": in_deletion,
    "end of animation": at_end_of_animation,
    "frame": before_frame,
    "post": in_post,
    "exception handler": in_exception_handler,
    "thread": in_thread,
}


# -- What


def work(fail=False, sleep_ms=2):
    """Make a task whose beginning and end are counted."""
    with world.lock:
        number = len(world.tasks)
        world.tasks.append(None)

    async def count():
        world.starts[number] += 1
        try:
            await TaskManager.sleep_ms(sleep_ms)
            if fail:
                raise Failure("in a task")
        finally:
            world.ends[number] += 1

    task = TaskManager.create_task(count(), "work")
    world.last_task = world.tasks[number] = task
    return task


def _start_thread(function):
    with world.lock:
        world.threads += 1

    def run():
        try:
            function()
        except (RuntimeError, Failure):
            pass  # The inbox is full.
        finally:
            with world.lock:
                world.threads -= 1

    _thread.start_new_thread(run, ())


def post():
    with world.lock:
        number = world.posted
        world.posted += 1

    def count():
        world.made[number] += 1

    try:
        UiBridge.post(count)
    except RuntimeError:  # Full: it was not posted.
        world.made[number] = 1


def post_from_four_threads():
    for _ in range(4):
        _start_thread(lambda: [post() for _ in range(5)])


def cancel():
    task = world.last_task
    if task is not None:
        TaskManager.cancel(task)


def fill_the_inbox():
    try:
        while True:
            UiBridge.post(int)
    except RuntimeError:
        pass


def swap_loops():
    world.loop = loops[1] if world.loop is loops[0] else loops[0]
    TaskManager.attach(world.loop)


def delete_the_widget():
    if world.button is not None:
        button, world.button = world.button, None
        button.delete()


def fail():
    raise Failure("here")


def ctrl_c():
    raise KeyboardInterrupt


def leave():
    raise SystemExit


def end_as_if_cancelled():
    raise TaskManager.CancelledError


async def _stop_soon():
    await TaskManager.sleep_ms(2)
    TaskManager.stop()


def start():
    if not TaskManager.is_running():
        _spawn(_stop_soon())
    try:
        TaskManager.start(world.loop)
    except RuntimeError as error:
        assert "running" in str(error)


def run_until_complete():
    try:
        TaskManager.run_until_complete(TaskManager.sleep_ms(1))
    except RuntimeError as error:
        assert "running" in str(error)


def _spawn(coroutine):
    TaskManager.create_task(coroutine, "spawned")


async def _time_out(times):
    for _ in range(times):
        try:
            await TaskManager.wait_for_ms(work(sleep_ms=1000), 1)
            raise AssertionError("it did not time out")
        except TaskManager.TimeoutError:
            pass


async def _gather():
    await TaskManager.gather(work(), work(sleep_ms=1), TaskManager.sleep_ms(3))


async def _gather_with_failure():
    try:
        await TaskManager.gather(work(fail=True), work())
    except Failure:
        pass


async def _in_threads():
    assert await UiBridge.run_in_thread(lambda: 7) == 7
    await TaskManager.gather(*[UiBridge.run_in_thread(time.sleep_ms, 1) for _ in range(6)])


def disabled():
    TaskManager.disable()
    try:
        assert TaskManager.create_task(_gather()) is None
    finally:
        TaskManager.enable()


def supervise():
    runs = []

    async def supervised():
        runs.append(True)
        if len(runs) < 3:
            fail()

    TaskManager.create_supervised_task(supervised, restart_delay_ms=1)


def set_failing_handler():
    TaskManager.set_exception_handler(lambda context: fail())


ACTIONS = {
    "work": work,
    "work that fails": lambda: work(fail=True),
    "cancel": cancel,
    "post": post,
    "post from four threads": post_from_four_threads,
    "fill the inbox": fill_the_inbox,
    "time out": lambda: _spawn(_time_out(2)),
    "gather": lambda: _spawn(_gather()),
    "gather with failure": lambda: _spawn(_gather_with_failure()),
    "in threads": lambda: _spawn(_in_threads()),
    "supervise": supervise,
    "disabled": disabled,
    "set_text": lambda: UiBridge.set_text(world.label, str(time.ticks_us())),
    "draw": lambda: world.label.set_text(str(time.ticks_us())),
    "delete the widget": delete_the_widget,
    "fail": fail,
    "ctrl-c": ctrl_c,
    "ctrl-c while waiting": lambda: runner.leave(KeyboardInterrupt()),
    "exit": leave,
    "end as if cancelled": end_as_if_cancelled,
    "failing handler": set_failing_handler,
    "handler that ctrl-c hits": lambda: TaskManager.set_exception_handler(lambda context: ctrl_c()),
    "stop": TaskManager.stop,
    "stop from a thread": lambda: _start_thread(TaskManager.stop),
    "start": start,
    "run until complete": run_until_complete,
    "pause": lambda: world.loop.pause(),
    "resume": lambda: world.loop.resume(),
    "wake": lambda: world.loop.wake(),
    "detach": TaskManager.detach,
    "attach": lambda: TaskManager.attach(world.loop),
    "swap loops": swap_loops,
}


# -- Carrying out


async def _drive():
    """Carry out the orders up to the next that is for outside."""
    orders = world.orders
    while world.next < len(orders) and orders[world.next][0] != "outside":
        place, action = orders[world.next]
        world.next += 1
        PLACES[place](action)
        await TaskManager.sleep_ms(1)
    TaskManager.stop()


def _leave_quietly(function, *arguments):
    """Call it; False if a Ctrl-C or an exit came out."""
    try:
        function(*arguments)
        return True
    except (KeyboardInterrupt, SystemExit, TaskManager.CancelledError, Failure):
        return False


def carry_out():
    orders = world.orders
    while world.next < len(orders):
        if world.driver is None or world.driver.done():
            place, action = orders[world.next]
            if place == "outside":
                world.next += 1
                _leave_quietly(ACTIONS[action]) or TaskManager.enable()
                continue
            world.driver = TaskManager.create_task(_drive(), "driver")
        _leave_quietly(TaskManager.start)


def _undo():
    """Undo what an order may have asked for, and what is no failure to recover."""
    TaskManager.set_exception_handler(None)
    TaskManager.attach(world.loop)
    world.loop.resume()


def settle():
    """Let all that is under way come to its end."""
    deadline = time.ticks_add(time.ticks_ms(), PATIENCE_MS)
    while True:
        _undo()
        quiet = _leave_quietly(TaskManager.run_until_complete, TaskManager.sleep_ms(5))
        busy = [task.name for task in TaskManager.list_tasks() if task.name not in ("inbox", "lvgl")]
        if quiet and not busy and not world.to_come and not world.threads:
            return _undo()
        assert time.ticks_diff(deadline, time.ticks_ms()) > 0, (
            "still to come: %r, %d callbacks, %d threads"
            % (
                busy,
                world.to_come,
                world.threads,
            )
        )


# -- The proof


async def _until(condition, what):
    deadline = time.ticks_add(time.ticks_ms(), PATIENCE_MS)
    while not condition():
        assert time.ticks_diff(deadline, time.ticks_ms()) > 0, "never: " + what
        await TaskManager.sleep_ms(1)


def _posts_to_come():
    """Whether a post has not been made yet."""
    return b"\0" in bytes(world.made[: world.posted])


async def _prove():
    async def value():
        await TaskManager.sleep_ms(1)
        return 42

    assert await TaskManager.create_task(value()) == 42
    assert await TaskManager.wait_for_ms(value(), PATIENCE_MS) == 42

    frames = world.loop.stats()["frames"]
    world.label.set_text("drawn %d" % time.ticks_us())
    await _until(lambda: world.loop.stats()["frames"] > frames, "a change is drawn")

    fired = []
    UiBridge.timer(fired.append, 1, repeat=2)
    await _until(lambda: len(fired) == 2, "a timer fires")

    post_from_four_threads()
    await _until(lambda: not world.threads and not _posts_to_come(), "posts are made")

    UiBridge.set_text(world.label, "set")
    await _until(lambda: world.label.get_text() == "set", "a text is set")

    clicks = []
    button = lv.button(world.screen)
    UiBridge.on(button, lv.EVENT.CLICKED, clicks.append)
    button.send_event(lv.EVENT.CLICKED, None)
    assert len(clicks) == 1, "an event reaches its handler"
    button.delete()

    assert await UiBridge.run_in_thread(lambda: 7) == 7


def prove():
    """The loop does all that a loop does, and all that was begun has come to its end exactly once."""
    created = TaskManager.stats()["created"]
    TaskManager.run_until_complete(_prove(), 2 * PATIENCE_MS)
    assert not TaskManager.is_running()
    names = sorted([task.name for task in TaskManager.list_tasks()])
    assert names == ["inbox", "lvgl"], "tasks: %r" % names
    figures = TaskManager.stats()
    assert figures["tasks"] == 2 and figures["created"] > created, figures
    assert not figures["lvgl"]["wedged"]
    for number, task in enumerate(world.tasks):
        assert task is None or task.done(), "a task that is not listed has not ended"
        assert world.starts[number] <= 1, "a task began twice"
        assert world.starts[number] == world.ends[number], "a task began and has not ended"
    made = list(world.made[: world.posted])
    assert made == [1] * world.posted, "posts were made so often: %r" % made


def run(orders):
    """Carry out the orders and prove that the loop is well. Raises AssertionError that says what is not."""
    global world
    world = World(orders)
    TaskManager.attach(world.loop)
    carry_out()
    settle()
    prove()
    lv.screen_load(lv.obj(None))
    world.screen.delete()
    world = None
    gc.collect()
