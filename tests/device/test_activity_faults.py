"""The activity stack goes on whatever an app does: errors in each call, deleted screens, full queues."""

import gc

import lvgl as lv
from conditions import until
from raising import raises

from mpos import TaskManager
from mpos.app import activities
from mpos.app.activity import Activity

METHODS = ("onCreate", "onStart", "onResume", "onPause", "onStop", "onDestroy")


class Foreign(BaseException):
    """An exception that is no Exception."""


class Logged(Activity):
    def __init__(self, log, name):
        self.log = log
        self.name = name

    def onCreate(self):
        self.log.append(self.name + " create")
        self.setContentView(lv.obj())

    def onStart(self, screen):
        self.log.append(self.name + " start")

    def onResume(self, screen):
        self.log.append(self.name + " resume")

    def onPause(self, screen):
        self.log.append(self.name + " pause")

    def onStop(self, screen):
        self.log.append(self.name + " stop")

    def onDestroy(self, screen):
        self.log.append(self.name + " destroy")


def failing_in(method, error):
    def fail(self, screen=None):
        raise error

    return type("Failing", (Logged,), {method: fail})


def quiet():
    TaskManager.set_exception_handler(lambda context: None)


def is_deleted(widget):
    try:
        widget.get_width()
    except lv.LvReferenceError:
        return True
    return False


def messages():
    return lv.layer_top().get_child_count()


def is_well(below):
    assert activities.foreground() is below and below.has_foreground()
    assert lv.screen_active() == below.screen


async def test_any_error_in_any_method_leaves_the_one_below_in_the_foreground(lvgl_loop):
    quiet()
    log = []
    below = Logged(log, "below")
    activities.start(below)
    for error in (ValueError("x"), MemoryError(), Foreign(), GeneratorExit(), TaskManager.CancelledError()):
        for method in METHODS:
            failing = failing_in(method, error)(log, "failing")
            if activities.start(failing):
                assert method != "onCreate"
                failing.finish()
            is_well(below)
            assert log[-2:] == ["below start", "below resume"], (error, method, log[-5:])
            assert failing.screen is None
    lv.layer_top().clean()
    below.finish()


async def test_a_ctrl_c_in_any_method_is_told_and_the_stack_is_right(lvgl_loop):
    quiet()
    log = []
    below = Logged(log, "below")
    activities.start(below)
    for method in METHODS:
        failing = failing_in(method, KeyboardInterrupt())(log, "failing")

        activities.start(failing)
        failing.finish()
        is_well(below)
        assert "Ctrl-C" in str(TaskManager.last_errors()[-1].exception)
    lv.layer_top().clean()
    below.finish()


async def test_many_failures_are_one_message_with_their_number(lvgl_loop):
    quiet()
    lv.layer_top().clean()
    for number in range(40):
        activities.start(failing_in("onCreate", ValueError("number %d" % number))([], "failing"))
    assert messages() == 1
    texts = [lv.layer_top().get_child(0).get_child(n).get_text() for n in range(2)]
    assert "40" in texts[0] and "number 39" in texts[1], texts
    lv.layer_top().get_child(0).send_event(lv.EVENT.CLICKED, None)
    await until(lambda: messages() == 0)
    activities.start(failing_in("onCreate", ValueError("anew"))([], "failing"))
    assert messages() == 1 and "failures" not in lv.layer_top().get_child(0).get_child(0).get_text()
    lv.layer_top().clean()


async def test_screens_go_although_the_inbox_is_full(lvgl_loop):
    deleted = []
    kept = []
    for _ in range(200):
        activity = Logged([], "one")
        activities.start(activity)
        kept.append(activity.screen)
    try:
        while True:
            TaskManager.post(deleted.append, 1)
    except RuntimeError:
        pass
    for _ in range(200):
        activities.foreground().finish()
    assert activities.foreground() is None
    await until(lambda: all([is_deleted(screen) for screen in kept]))


async def test_what_is_no_screen_of_its_own_is_refused_with_a_remedy(lvgl_loop):
    other, activity = Logged([], "other"), Logged([], "one")
    activities.start(other)
    activities.start(activity)
    screen = activity.screen
    deleted = lv.obj()
    deleted.delete()
    wrong = [None, 5, "x", lv.label(screen), lv.layer_top(), lv.layer_sys(), lv.layer_bottom()]
    for one in wrong + [deleted, other.screen, lv.obj, Activity]:
        try:
            activity.setContentView(one)
            raise AssertionError("accepted: %r" % (one,))
        except ValueError as error:
            assert "lv.obj()" in str(error), error
    assert activity.screen is screen and lv.screen_active() == screen
    activities.finish_all()


async def test_an_activity_that_is_on_the_stack_cannot_be_started_again(lvgl_loop):
    log = []
    activity = Logged(log, "one")
    activities.start(activity)
    before = list(log)
    try:
        activities.start(activity)
        raise AssertionError("accepted")
    except ValueError as error:
        assert "Logged()" in str(error)
    assert log == before and activities.foreground() is activity
    activity.finish()
    await until(lambda: activity.screen is None)
    assert activities.start(activity)  # It is not on it any more.
    activity.finish()


async def test_setting_the_content_after_the_end_leaves_no_screen(lvgl_loop):
    activity = Logged([], "one")
    activities.start(activity)
    activity.finish()
    late = lv.obj()
    raises(RuntimeError, activity.setContentView, late)
    assert is_deleted(late)


# -- Screens that go too early


def delete_own(activity):
    activity.screen.delete()


def delete_below(activity):
    activity.below_screen.delete()


def animate(activity):
    new = lv.obj()
    lv.screen_load_anim(new, lv.SCREEN_LOAD_ANIM.OVER_LEFT, 60, 0, False)
    activity.setContentView(new)


def animate_and_delete_own(activity):
    animate(activity)
    activity.screen.delete()


def animate_late_and_delete_own(activity):
    new = lv.obj()
    lv.screen_load_anim(new, lv.SCREEN_LOAD_ANIM.FADE_IN, 60, 30, False)
    activity.setContentView(new)
    new.delete()


def animate_and_delete_below(activity):
    animate(activity)
    activity.below_screen.delete()


def load_another(activity):
    lv.screen_load(lv.obj())


DOINGS = (
    delete_own,
    delete_below,
    animate,
    animate_and_delete_own,
    animate_late_and_delete_own,
    animate_and_delete_below,
    load_another,
)


async def test_screens_that_are_deleted_or_animated_by_the_app_hurt_nobody(lvgl_loop):
    quiet()
    for doing in DOINGS:
        for method in ("onCreate", "onResume", "onPause", "onDestroy", "later"):
            for wait_ms in (0, 20, 150):
                log = []
                below = Logged(log, "below")
                activities.start(below)

                def act(self, screen=None, doing=doing, method=method):
                    getattr(Logged, method)(self, *(() if method == "onCreate" else (screen,)))
                    doing(self)

                members = {} if method == "later" else {method: act}
                above = type("Above", (Logged,), members)(log, "above")
                above.below_screen = below.screen
                activities.start(above)
                if method == "later":
                    doing(above)
                await TaskManager.sleep_ms(wait_ms)
                above.finish()
                assert log[-2:] == ["below start", "below resume"], (doing, method, log)
                assert below.has_foreground() and lv.screen_active() == below.screen, (doing, method)
                await TaskManager.sleep_ms(20)
                below.finish()
                await TaskManager.sleep_ms(0)
    lv.layer_top().clean()


async def test_a_foreground_whose_screen_is_deleted_gets_an_empty_one(lvgl_loop):
    quiet()
    activity = Logged([], "one")
    activities.start(activity)
    activity.screen.delete()
    await until(lambda: activity.screen is not None and lv.screen_active() == activity.screen)
    lv.layer_top().clean()
    activity.finish()


# -- What ends with an activity


async def test_a_task_after_the_end_is_refused_with_its_name(lvgl_loop):
    ran = []

    async def work():
        ran.append(True)

    activity = Logged([], "one")
    activities.start(activity)
    activity.finish()
    assert activity.create_task(work(), "late work") is None
    await TaskManager.sleep_ms(5)
    assert not ran


async def test_an_activity_that_finishes_in_its_own_task_ends_that_task(lvgl_loop):
    ended = []

    class Own(Logged):
        def onCreate(self):
            self.create_task(self.work())

        async def work(self):
            try:
                self.finish()
                await TaskManager.sleep(100)
            finally:
                ended.append(True)

    activities.start(Own([], "own"))
    await until(lambda: ended)


async def test_a_task_may_still_use_the_screen_when_it_is_cancelled(lvgl_loop):
    seen = []

    class Saving(Logged):
        def onCreate(self):
            self.label = lv.label(lv.screen_active())
            self.create_task(self.work())

        async def work(self):
            try:
                await TaskManager.sleep(100)
            finally:
                await TaskManager.sleep_ms(10)
                self.label.set_text("saved")
                seen.append(self.label.get_text())

    activity = Saving([], "saving")
    activities.start(activity)
    await TaskManager.sleep_ms(5)
    label = activity.label
    activity.finish()
    await until(lambda: is_deleted(label))
    assert seen == ["saved"]


async def test_methods_that_are_coroutine_functions_run_as_tasks(lvgl_loop):
    for method in METHODS:
        ran = []

        async def work(self, screen=None, ran=ran):
            await TaskManager.sleep_ms(0)
            ran.append(True)

        activity = type("Async", (Logged,), {method: work})([], "one")
        activities.start(activity)
        await TaskManager.sleep_ms(5)
        activity.finish()
        await until(lambda: ran)


async def test_timers_handlers_and_animations_end_with_their_activity(lvgl_loop):
    fired = []

    class Busy(Logged):
        def onCreate(self):
            self.timer(lambda t: fired.append("timer"), 5)
            self.timer(lambda t: fired.append("twice"), 1, 2)
            self.on(lv.layer_top(), lv.EVENT.CLICKED, lambda e: fired.append("event"))
            self.animate(lv.layer_top(), lambda w, v: fired.append("animation"), 0, 1000, 1000)

    activity = Busy([], "busy")
    activities.start(activity)
    await until(lambda: "timer" in fired and "animation" in fired and fired.count("twice") == 2)
    lv.layer_top().send_event(lv.EVENT.CLICKED, None)
    assert "event" in fired
    activity.finish()
    fired.clear()
    lv.layer_top().send_event(lv.EVENT.CLICKED, None)
    await TaskManager.sleep_ms(60)
    assert not fired
    lv.anim_delete(lv.layer_top(), None)


async def test_fifty_pages_leave_nothing_behind(lvgl_loop):
    class Page(Logged):
        def onCreate(self):
            screen = lv.obj()
            self.button = lv.button(screen)
            self.on(self.button, lv.EVENT.CLICKED, lambda e: self.finish())
            self.timer(lambda t: self.button.set_x(1), 1000)
            self.animate(self.button, lambda w, v: w.set_x(v), 0, 100, 10000)
            self.create_task(self.wait())
            self.setContentView(screen)

        async def wait(self):
            await TaskManager.sleep(100)

    async def show(number):
        for _ in range(number):
            page = Page([], "page")
            activities.start(page)
            await TaskManager.sleep_ms(1)
            page.button.send_event(lv.EVENT.CLICKED, None)
            await until(lambda: is_deleted(page.button))
            page = None
            gc.collect()
        await TaskManager.sleep_ms(50)
        gc.collect()
        return gc.mem_alloc()

    before = await show(10)
    after = await show(50)
    assert after - before < 2000, after - before


async def test_what_is_kept_of_an_error_holds_no_object_of_the_app(lvgl_loop):
    quiet()

    class Own(ValueError):
        pass

    big = bytearray(1)
    for error in (Own("mine", big), ValueError(big), ValueError("plain", 5)):
        activities.start(failing_in("onCreate", error)([], "failing"))
        kept = TaskManager.last_errors()[-1].exception
        assert kept is not error and isinstance(kept, ValueError), kept
        for argument in kept.args:
            assert isinstance(argument, (str, int)), argument
    assert str(kept) == "('plain', 5)", kept
    lv.layer_top().clean()
